//! The manifest of a run, made of its finished files and its plan.

use super::RunError;
use crate::deliver::{Manifest, ManifestExport, ManifestFile, ManifestPeriod};
use crate::job::Job;
use crate::plan::{Plan, PlannedExport};
use crate::run::RunId;
use crate::spool::{Artifact, Contents, RunFolder};

/// Writes the manifest called `name`, which lists `files`, into the run's folder.
pub(super) fn write(
    job: &Job,
    run: &RunId,
    plan: &Plan,
    folder: &RunFolder,
    name: &str,
    files: &[Artifact],
) -> Result<Artifact, RunError> {
    let manifest = Manifest {
        run: run.to_string(),
        job: job.label.clone(),
        due: plan.due.clone(),
        files: files.iter().zip(&plan.files).map(|(file, plan)| describe(job, file, &plan.parts)).collect(),
    };
    let mut writer = folder.writer(name)?;
    writer.append(&manifest.to_bytes())?;
    Ok(writer.finish(Contents::default())?)
}

fn describe(job: &Job, file: &Artifact, parts: &[PlannedExport]) -> ManifestFile {
    let mut members: Vec<ManifestExport> = parts.iter().map(|part| describe_export(job, file, part)).collect();
    let export = if job.zip { None } else { members.pop() };
    ManifestFile {
        name: file.name.clone(),
        bytes: file.bytes,
        rows: file.rows,
        sha256: file.sha256.clone(),
        export,
        members,
    }
}

fn describe_export(job: &Job, file: &Artifact, part: &PlannedExport) -> ManifestExport {
    let export = &job.exports[part.index];
    let period = part.period.as_ref();
    let unreadable = export.columns.iter().filter_map(|column| {
        let cells = file.unreadable.get(&job.column_in_file(export, column))?;
        Some((column.name.clone(), *cells))
    });
    ManifestExport {
        export: export.name.clone(),
        columns: export.columns.iter().map(|column| column.name.clone()).collect(),
        period: period.map(|period| ManifestPeriod { from: period.from.clone(), to: period.to.clone() }),
        unreadable: unreadable.collect(),
    }
}
