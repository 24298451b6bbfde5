//! Why a run did not get to its end, with the place where it stopped.

use std::time::Duration;

use crate::clearance::Objections;
use crate::deliver::DeliverError;
use crate::pipeline::PipelineError;
use crate::run::RunId;
use crate::spool::SpoolError;
use crate::state::StateError;
use crate::store::StoreError;
use crate::value::BadCells;

/// Why a run did not get to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The destination can't take files.
    #[error(transparent)]
    Deliver(#[from] DeliverError),
    /// The store can't be opened or asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An export can't be read.
    #[error("export {export}: {cause}")]
    Export {
        /// The export.
        export: String,
        /// What the store says.
        cause: StoreError,
    },
    /// Cells can't be written as what their columns are declared to be.
    #[error("export {export}, {cells}; {remedy}")]
    Cells {
        /// The export.
        export: String,
        /// Where they are, what was found and what was declared; never a value.
        cells: BadCells,
        /// What to do.
        remedy: String,
    },
    /// A file can't be written here.
    #[error(transparent)]
    Pipeline(PipelineError),
    /// The spool can't be used.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// What happened can't be recorded, so nothing further may happen.
    #[error(transparent)]
    State(#[from] StateError),
    /// A step took longer than it ever should.
    #[error("{phase} took longer than {} s and was given up; try again, and check the load of the server", limit.as_secs())]
    TooLong {
        /// The step.
        phase: &'static str,
        /// How long it may take.
        limit: Duration,
    },
    /// Files are to be delivered that are not in the spool, and the store may not be asked.
    #[error("run {run} has no files in the spool any more; run the job again for the same due time: exportd run --at")]
    NotSpooled {
        /// The run.
        run: RunId,
    },
    /// The job in force does not allow the spooled files to be sent, and the store may not be asked.
    #[error("run {run} is not sent: {objections}; exportd run --at makes its files anew")]
    Withheld {
        /// The run.
        run: RunId,
        /// Why its files may not be sent.
        objections: Box<Objections>,
    },
    /// Some of the run's files are published, and the others can't be, nor made again to fit.
    #[error(
        "{published} of {of} files are published and the others can't be: {cause}; \
         tell the partner, and run the job again by hand for the same due time"
    )]
    Torn {
        /// How many are published.
        published: usize,
        /// How many there are.
        of: usize,
        /// What is wrong with the others.
        cause: SpoolError,
    },
    /// Somebody stopped it.
    #[error("the run was stopped before it was done")]
    Cancelled,
    /// A bug in this program.
    #[error("the run hit a bug in exportd ({0}); please report it")]
    Defect(String),
}

impl From<PipelineError> for RunError {
    fn from(error: PipelineError) -> RunError {
        match error {
            PipelineError::Cancelled => RunError::Cancelled,
            bad @ PipelineError::BadZip { .. } => RunError::Defect(bad.to_string()),
            error => RunError::Pipeline(error),
        }
    }
}

impl RunError {
    /// Whether the same run may succeed later without anybody changing anything.
    pub fn is_passing(&self) -> bool {
        match self {
            RunError::Deliver(error) => !error.is_permanent(),
            RunError::Store(error) | RunError::Export { cause: error, .. } => !error.is_permanent(),
            RunError::Pipeline(error) => error.is_passing(),
            RunError::Spool(error) => error.is_passing(),
            RunError::State(error) => error.is_passing(),
            RunError::Cancelled | RunError::TooLong { .. } => true,
            RunError::Cells { .. } | RunError::Defect(_) => false,
            RunError::NotSpooled { .. } | RunError::Withheld { .. } | RunError::Torn { .. } => false,
        }
    }

    /// Whether the destination does not let us in, or is not who it should be.
    pub fn is_refusal(&self) -> bool {
        matches!(self, RunError::Deliver(error) if error.is_refusal())
    }

    /// Whether state or store are out of reach, which commands tell by their exit code.
    pub fn is_unreachable(&self) -> bool {
        match self {
            RunError::Store(error) | RunError::Export { cause: error, .. } => error.is_out_of_reach(),
            RunError::State(_) => true,
            _ => false,
        }
    }
}
