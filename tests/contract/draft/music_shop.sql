-- A shop of music, spelt in one piece and without quotes: PostgreSQL folds it all to lower case.
CREATE TABLE Artist (
  ArtistId INTEGER PRIMARY KEY, -- harmless
  Name VARCHAR(120) -- personal
);
CREATE TABLE Album (
  AlbumId INTEGER PRIMARY KEY, -- harmless
  Title VARCHAR(160) NOT NULL, -- harmless
  ArtistId INTEGER NOT NULL -- harmless
);
CREATE TABLE Track (
  TrackId INTEGER PRIMARY KEY, -- harmless
  Name VARCHAR(200) NOT NULL, -- harmless
  Composer VARCHAR(220), -- personal
  Milliseconds INTEGER, -- harmless
  UnitPrice NUMERIC(10,2) -- harmless
);
CREATE TABLE Employee (
  EmployeeId INTEGER PRIMARY KEY, -- harmless
  LastName VARCHAR(20) NOT NULL, -- personal
  FirstName VARCHAR(20) NOT NULL, -- personal
  Title VARCHAR(30), -- personal
  ReportsTo INTEGER, -- harmless
  BirthDate DATETIME, -- personal
  HireDate DATETIME, -- personal
  PostalCode VARCHAR(10), -- personal
  Fax VARCHAR(24) -- personal
);
CREATE TABLE Customer (
  CustomerId INTEGER PRIMARY KEY, -- harmless
  FirstName VARCHAR(40) NOT NULL, -- personal
  Company VARCHAR(80), -- personal
  Address VARCHAR(70), -- personal
  City VARCHAR(40), -- personal
  State VARCHAR(40), -- personal
  Country VARCHAR(40), -- personal
  Phone VARCHAR(24), -- personal
  Email VARCHAR(60) NOT NULL, -- personal
  SupportRepId INTEGER -- harmless
);
CREATE TABLE Invoice (
  InvoiceId INTEGER PRIMARY KEY, -- harmless
  CustomerId INTEGER NOT NULL, -- harmless
  InvoiceDate DATETIME NOT NULL, -- harmless
  BillingAddress VARCHAR(70), -- personal
  BillingState VARCHAR(40), -- personal
  BillingPostalCode VARCHAR(10), -- personal
  Total NUMERIC(10,2) NOT NULL -- harmless
);
CREATE VIEW CustomerList AS SELECT CustomerId, FirstName, Phone FROM Customer;
INSERT INTO Artist VALUES (1, 'canary');
INSERT INTO Album VALUES (1, 'Kind of Blue', 1);
INSERT INTO Track VALUES (1, 'So What', 'canary', 562000, 0.99);
INSERT INTO Employee VALUES (1, 'canary', 'canary', 'canary', NULL, '1962-02-18 00:00:00', '2002-08-14 00:00:00', 'canary', 'canary');
INSERT INTO Customer VALUES (1, 'canary', 'canary', 'canary', 'canary', 'canary', 'canary', 'canary', 'canary', 1);
INSERT INTO Invoice VALUES (1, 1, '2026-11-20 10:00:00', 'canary', 'canary', 'canary', 1.98);
