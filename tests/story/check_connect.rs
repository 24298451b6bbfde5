//! What `check --connect` tells about a store that is not what the catalogue says.

use std::fs;

use exportd::store::StoreKind;

use crate::support::databases::Database;
use crate::support::program::Program;
use crate::support::shop;
use crate::support::sshd::Sshd;

const TABLE: &str =
    "CREATE TABLE orders (id integer PRIMARY KEY, paid boolean, total numeric(10, 2), passport_no text)";

fn catalogue(columns: &str) -> String {
    format!(
        "[[export]]\nname = \"orders\"\ntitle = \"Orders\"\nfrom = \"orders\"\norder = [\"id\"]\n[export.columns]\n{columns}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_differs_from_its_catalogue_is_described() {
    let server = Sshd::start();
    let database = Database::new(StoreKind::Postgres).await;
    database.run(TABLE).await;
    let program = Program::new(&shop::config(&server, "").replace("sqlite:shop.db", &database.url));

    let write = |columns: &str| fs::write(program.path("catalogue.toml"), catalogue(columns)).unwrap();
    write("id = \"id\"\npaid = \"boolean\"\ntotal = \"decimal\"\n");
    let hint = program.run(&["check", "--connect"]).expect(0);
    assert!(hint.out.contains("does not know passport_no, so it is never exported"), "{}", hint.out);

    write("id = \"id\"\npaid = \"integer\"\ntotal = \"decimal\"\n");
    let misfit = program.run(&["check", "--connect"]).expect(1);
    assert!(misfit.out.contains("column paid is declared integer, but it is boolean in the store"), "{}", misfit.out);

    write("id = \"id\"\npayed = \"boolean\"\ntotals = \"decimal\"\n");
    let missing = program.run(&["check", "--connect"]).expect(1);
    for part in ["\"payed\"", "\"paid\"", "\"totals\"", "\"total\""] {
        assert!(missing.out.contains(part), "{part} is missing in: {}", missing.out);
    }

    program.configure(&shop::config(&server, "").replace("sqlite:shop.db", "postgres://nobody@127.0.0.1:1/shop"));
    let unreachable = program.run(&["check", "--connect"]).expect(3);
    assert!(unreachable.out.contains("can't be reached"), "{}", unreachable.out);
}
