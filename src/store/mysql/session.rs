//! What is set before the snapshot: settings of the server or of a role (`init_connect`) that would change which rows
//! and bytes a query yields are set to what keeps everything.
//!
//! The modes that decide what SQL means stay: an administrator's query means what it means in any other client.

use std::time::Duration;

/// The longest wait for a lock of another connection: shorter than a query may take, so that a lock is not told as a slow query.
const LOCK: Duration = Duration::from_secs(60);

/// The largest value that every server takes.
const MOST_BYTES: u32 = 1 << 30;

/// The statements, in their order; the last one takes the snapshot.
pub(super) fn statements(is_mariadb: bool, timeout: Duration) -> Vec<String> {
    let millis = timeout.as_millis().clamp(1, i32::MAX as u128);
    let seconds = timeout.as_secs().clamp(60, 31_536_000);
    let lock = LOCK.min(timeout / 2).as_secs().max(1);
    let limit = match is_mariadb {
        true => format!("max_statement_time = {}", millis as f64 / 1000.0),
        false => format!("max_execution_time = {millis}"),
    };
    let mut statements = vec![
        // A statement with a setting that the server does not know does nothing at all, so what only some servers have
        // stands alone: MySQL before 5.7.8 has no such limit.
        format!("SET SESSION {limit}"),
        // In the mode that is taken out, CHAR columns would come with the blanks that pad them.
        //
        // Rows: all of them, however many are looked at. DEFAULT would be the server's value.
        // Values: whole. Else GROUP_CONCAT in a view or query cuts them at 1,024 bytes or at what the server says.
        // What a statement warns of is asked for when it is done.
        format!(
            "SET SESSION net_write_timeout = {seconds}, lock_wait_timeout = {lock}, \
             sql_mode = REPLACE(@@sql_mode, 'PAD_CHAR_TO_FULL_LENGTH', ''), \
             sql_select_limit = 18446744073709551615, sql_big_selects = 1, \
             group_concat_max_len = {MOST_BYTES}, max_error_count = 64"
        ),
    ];
    if is_mariadb {
        // Recursion that is cut short is no error here, but fewer rows; the time limit ends one that has no end.
        statements.push(format!("SET SESSION max_recursive_iterations = {}", u32::MAX));
        // Tables with versions: as they are now. Here DEFAULT means just that.
        statements.push("SET SESSION system_versioning_asof = DEFAULT".to_owned());
    }
    statements.push("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ".to_owned());
    statements.push("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY".to_owned());
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_some_servers_know_stands_alone() {
        for is_mariadb in [false, true] {
            let statements = statements(is_mariadb, Duration::from_secs(60));
            for setting in
                ["max_execution_time", "max_statement_time", "max_recursive_iterations", "system_versioning_asof"]
            {
                let with = statements.iter().filter(|statement| statement.contains(setting));
                assert!(with.clone().all(|statement| statement.matches(" = ").count() == 1), "{statements:?}");
            }
        }
    }
}
