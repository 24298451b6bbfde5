//! Log lines in JSON, without the places in libraries' sources that are paths of the machine that built the program.

use std::fmt;

use serde_json::{Map, Value};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Format, Json, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// What libraries that use the `log` crate add to each line: `log.file`, `log.line`, `log.module_path`, `log.target`.
const PLACES: &str = "log.";

/// The format of JSON lines, less those fields.
pub struct WithoutPlaces(pub Format<Json>);

impl<S, N> FormatEvent<S, N> for WithoutPlaces
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        if !event.metadata().fields().iter().any(|field| field.name().starts_with(PLACES)) {
            return self.0.format_event(context, writer, event);
        }
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        let mut fields: Map<String, Value> = serde_json::from_str(&line).map_err(|_| fmt::Error)?;
        fields.retain(|name, _| !name.starts_with(PLACES));
        writeln!(writer, "{}", Value::Object(fields))
    }
}
