//! What a run warned of is kept with it, as long as its files are.

use exportd::run::{Stage, Warning};

use super::{NOW, at, one_run, open, started};

pub fn hidden() -> Warning {
    Warning { exports: vec!["agents".to_owned()], text: "rows are hidden".to_owned() }
}

#[tokio::test]
async fn warnings_are_those_of_the_last_reading() {
    let (_dir, state) = open().await;
    let run = one_run(&state).await;
    started(&state, &run, at(NOW)).await;
    let warnings = async || state.run(&run.id).await.unwrap().unwrap().warnings;
    state.stage(&run.id, Stage::Querying, at(NOW)).await.unwrap();
    state.warned(&run.id, &[hidden()]).await.unwrap();
    state.stage(&run.id, Stage::Uploading, at(NOW)).await.unwrap();
    assert_eq!(warnings().await, [hidden()], "later stages keep them");
    state.stage(&run.id, Stage::Querying, at(NOW)).await.unwrap();
    state.warned(&run.id, &[]).await.unwrap();
    assert_eq!(warnings().await, [], "files that are made anew have their own");
}
