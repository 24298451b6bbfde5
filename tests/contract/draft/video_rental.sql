-- A rental of videos, with customers, staff and clinic visits in four languages.
CREATE TABLE actor (
  actor_id INTEGER PRIMARY KEY, -- harmless
  first_name VARCHAR(45) NOT NULL, -- personal
  last_update TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP -- harmless
);
CREATE TABLE address (
  address_id INTEGER PRIMARY KEY, -- harmless
  address2 VARCHAR(50), -- personal
  district VARCHAR(20), -- personal
  city_id INTEGER NOT NULL, -- harmless
  postal_code VARCHAR(10), -- personal
  phone BIGINT -- personal
);
CREATE TABLE city (
  city_id INTEGER PRIMARY KEY, -- harmless
  city VARCHAR(50) NOT NULL -- harmless
);
CREATE TABLE film (
  film_id INTEGER PRIMARY KEY, -- harmless
  title VARCHAR(255) NOT NULL, -- harmless
  description TEXT, -- harmless
  rental_rate DECIMAL(4,2) NOT NULL, -- harmless
  rating VARCHAR(10), -- harmless
  regisseur VARCHAR(60) -- personal
);
CREATE TABLE staff (
  staff_id INTEGER PRIMARY KEY, -- harmless
  picture BLOB, -- personal
  active BOOLEAN NOT NULL, -- harmless
  username VARCHAR(16) NOT NULL, -- personal
  pwd_sha VARCHAR(40), -- personal
  last_login DATETIME -- personal
);
CREATE TABLE payment (
  payment_id INTEGER PRIMARY KEY, -- harmless
  customer_id INTEGER NOT NULL, -- harmless
  amount DECIMAL(5,2) NOT NULL, -- harmless
  iban VARCHAR(34), -- personal
  remarque TEXT, -- personal
  payment_date DATETIME NOT NULL, -- harmless
  client_ip VARCHAR(45), -- personal
  ua TEXT -- personal
);
CREATE TABLE paciente (
  id INTEGER PRIMARY KEY, -- harmless
  apellidos VARCHAR(50), -- personal
  "contraseña" VARCHAR(50), -- personal
  fecha_nac_cimiento VARCHAR(10), -- personal
  fecha_creacion DATETIME, -- harmless
  dni VARCHAR(9), -- personal
  peso NUMERIC(5,1), -- personal
  es_fumador_religion BOOLEAN -- personal
);
CREATE TABLE kunder (
  kunde_nr INTEGER PRIMARY KEY, -- harmless
  efternavn VARCHAR(50), -- personal
  cpr VARCHAR(11), -- personal
  "fødselsdato" DATE, -- personal
  bemaerkning VARCHAR(500), -- personal
  oprettet DATETIME, -- harmless
  status VARCHAR(10) -- harmless
);
CREATE TABLE vorgang (
  id INTEGER PRIMARY KEY, -- harmless
  halter VARCHAR(50), -- personal
  wohnhaft_in VARCHAR(50), -- personal
  xqz7 VARCHAR(50), -- personal
  lat DOUBLE PRECISION, -- personal
  erstellt_am DATETIME, -- harmless
  bearbeitet_durch VARCHAR(50), -- personal
  betrag DECIMAL(8,2) -- harmless
);
INSERT INTO actor (actor_id, first_name) VALUES (1, 'canary');
INSERT INTO address VALUES (1, 'canary', 'canary', 1, 'canary', 5550100);
INSERT INTO city VALUES (1, 'Aarhus');
INSERT INTO film VALUES (1, 'ACADEMY DINOSAUR', 'An epic drama', 0.99, 'PG', 'canary');
INSERT INTO staff VALUES (1, NULL, TRUE, 'canary', 'canary', '2026-11-20 10:00:00');
INSERT INTO payment VALUES (1, 1, 2.99, 'canary', 'canary', '2026-11-20 11:00:00', 'canary', 'canary');
INSERT INTO paciente VALUES (1, 'canary', 'canary', 'canary', '2026-11-20 12:00:00', 'canary', 70.5, FALSE);
INSERT INTO kunder VALUES (1, 'canary', 'canary', '1980-05-05', 'canary', '2026-11-20 13:00:00', 'ny');
INSERT INTO vorgang VALUES (1, 'canary', 'canary', 'canary', 52.5, '2026-11-20 14:00:00', 'canary', 10.00);
