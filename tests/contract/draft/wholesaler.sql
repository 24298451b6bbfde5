-- A wholesaler, spelt in capitals and with blanks, the way office databases were once drawn with a mouse.
CREATE TABLE "Categories" (
  "CategoryID" INTEGER PRIMARY KEY, -- harmless
  "CategoryName" VARCHAR(15) NOT NULL, -- harmless
  "Description" VARCHAR(200), -- harmless
  "Picture" BLOB -- personal
);
CREATE TABLE "Customers" (
  "CustomerID" VARCHAR(5) PRIMARY KEY, -- harmless
  "CompanyName" VARCHAR(40) NOT NULL, -- personal
  "ContactName" VARCHAR(30), -- personal
  "ContactTitle" VARCHAR(30), -- personal
  "Region" VARCHAR(15) -- personal
);
CREATE TABLE "tblMitarbeiter" (
  "PersNr" INTEGER PRIMARY KEY, -- harmless
  "Nachname" VARCHAR(20) NOT NULL, -- personal
  "TitleOfCourtesy" VARCHAR(25), -- personal
  "Geburtsdatum" DATE, -- personal
  "Straße" VARCHAR(60), -- personal
  "HomePhone" VARCHAR(24), -- personal
  "Photo" BLOB, -- personal
  "Notes" TEXT, -- personal
  "Gehalt" NUMERIC(10,2) -- personal
);
CREATE TABLE "Orders" (
  "OrderID" INTEGER PRIMARY KEY, -- harmless
  "CustomerID" VARCHAR(5), -- harmless
  "OrderDate" DATE, -- harmless
  "ShippedDate" DATE, -- harmless
  "Freight" NUMERIC(10,2), -- harmless
  "ShipName" VARCHAR(40), -- personal
  "ShipCity" VARCHAR(15), -- personal
  "ShipCountry" VARCHAR(15) -- personal
);
CREATE TABLE "Order Details" (
  "OrderID" INTEGER NOT NULL, -- harmless
  "ProductID" INTEGER NOT NULL, -- harmless
  "UnitPrice" NUMERIC(10,2) NOT NULL, -- harmless
  "Quantity" SMALLINT NOT NULL, -- harmless
  "Discount" DOUBLE PRECISION NOT NULL, -- harmless
  PRIMARY KEY ("ProductID", "OrderID")
);
CREATE TABLE "Products" (
  "ProductID" INTEGER PRIMARY KEY, -- harmless
  "ProductName" VARCHAR(40) NOT NULL, -- harmless
  "QuantityPerUnit" VARCHAR(20), -- harmless
  "Discontinued" BOOLEAN NOT NULL, -- harmless
  "SupplierContact" VARCHAR(40) -- personal
);
CREATE TABLE "order""; --" (
  "id`1" INTEGER PRIMARY KEY, -- harmless
  "x'; DROP TABLE y; --" VARCHAR(10), -- personal
  "zip code" VARCHAR(10), -- personal
  "# status = ""\" VARCHAR(10), -- harmless
  "größe [€]" NUMERIC(5,1), -- harmless
  "電話" VARCHAR(20) -- personal
);
INSERT INTO "Categories" VALUES (1, 'Beverages', 'Soft drinks, coffees, teas', NULL);
INSERT INTO "Customers" VALUES ('ALFKI', 'canary', 'canary', 'canary', 'canary');
INSERT INTO "tblMitarbeiter" VALUES (1, 'canary', 'canary', '1970-01-01', 'canary', 'canary', NULL, 'canary', 2500.00);
INSERT INTO "Orders" VALUES (1, 'ALFKI', '2026-11-20', NULL, 32.38, 'canary', 'canary', 'canary');
INSERT INTO "Order Details" VALUES (1, 11, 14.00, 12, 0.15);
INSERT INTO "Products" VALUES (11, 'Queso', '1 kg pkg.', FALSE, 'canary');
INSERT INTO "order""; --" VALUES (1, 'canary', 'canary', 'new', 1.5, 'canary');
