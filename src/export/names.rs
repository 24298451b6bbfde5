//! The final names of a run's files, looked at before anything is uploaded.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::connection::Connection;
use super::{Attempt, RunError};

/// Makes sure that no name is taken that the job may not replace, as far as the server lets us look: a rename that is
/// refused at the end of a run would have cost the reading and the upload, and may leave hidden files.
pub(super) async fn require_free(
    attempt: &Attempt<'_>,
    connection: &Connection<'_>,
    names: Vec<String>,
) -> Result<(), RunError> {
    let looking = async {
        let delivery = connection.delivery().await?;
        let looks = names.into_iter().map(async |name| delivery.require_free(&name).await);
        Ok(stream::iter(looks).buffered(attempt.job.destination.requests()).try_collect::<()>().await?)
    };
    attempt.cancel.unless(looking).await.flatten()
}
