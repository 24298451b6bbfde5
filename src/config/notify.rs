//! `[notify]`: who is told of failures, recoveries and late runs.

use std::time::Duration;

use super::context::Context;
use super::fault::{Fault, Kind};
use super::table::{Item, Table};
use super::{authorities, keys, program, secret};
use crate::notify::{Notify, is_url};
use crate::secret::Secret;
use crate::tls;

/// Reads `[notify]`; none if there is no such table.
pub(super) fn read(root: &Table<'_>, context: &Context<'_>) -> Option<Option<Notify>> {
    let Some(item) = root.get("notify") else { return Some(None) };
    let table = item.table("[notify]")?;
    table.refuse_unknown(&keys::NOTIFY);
    let command = table.get("command").map_or(Some(None), |item| read_command(&item, context).map(Some));
    let url = table.get("url").map_or(Some(None), |item| read_url(&item, context).map(Some));
    let headers = read_headers(&table, context);
    let ca = table.get("ca").map_or(Some(None), |item| authorities::read(&item, context).map(Some));
    let late = table.get("late").map_or(Some(None), |item| read_late(&item).map(Some));
    if table.get("command").is_none() && table.get("url").is_none() {
        let fault = Fault::new("[notify] tells nobody").label("add `command` or `url`");
        table.file.fault(table.span.clone(), fault.kind(Kind::Absence));
        return None;
    }
    Some(Some(Notify { command: command?, url: url?, headers: headers?, ca: ca?, late: late? }))
}

fn read_command(item: &Item<'_>, context: &Context<'_>) -> Option<Vec<String>> {
    let words = item.texts()?;
    if words.is_empty() {
        item.fault(Fault::new("`command` is empty").label("name a program and its arguments"));
        return None;
    }
    if let (true, Some((item, name))) = (context.from.looks_around, words.first()) {
        program::check(item, name, context);
    }
    let is_whole = item.list()?.len() == words.len();
    is_whole.then(|| words.into_iter().map(|(_, word)| word.to_owned()).collect())
}

/// Faults show no part of the URL: many services put their secret into it.
fn read_url(item: &Item<'_>, context: &Context<'_>) -> Option<Secret> {
    let url = secret::read(item, context)?;
    let host = |rest: &str| rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned();
    let label = match (url.expose().strip_prefix("https://"), url.expose().strip_prefix("http://")) {
        (Some(rest), _) if !host(rest).contains('@') && is_url(url.expose()) => return Some(url),
        (_, Some(rest)) if is_local(&host(rest)) && is_url(url.expose()) => return Some(url),
        (_, Some(rest)) if !is_local(&host(rest)) => "write https://: plain http is for this machine only",
        (Some(rest), _) if host(rest).contains('@') => "leave the login out; `bearer` and `headers` are for secrets",
        _ => "write https://HOST/PATH; other characters than letters, digits and -._~ as %XX",
    };
    item.fault(Fault::new("the url of [notify] can't be used").label(label));
    None
}

/// Whether the host of `authority` (`HOST` or `HOST:PORT`) is this machine.
fn is_local(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
        _ => authority,
    };
    tls::is_local(host)
}

fn read_headers(table: &Table<'_>, context: &Context<'_>) -> Option<Vec<(String, Secret)>> {
    let mut headers = Vec::new();
    if let Some(item) = table.get("bearer") {
        let token = secret::read(&item, context)?;
        headers.push((
            "Authorization".to_owned(),
            header_value(&item, Secret::new(format!("Bearer {}", token.expose())))?,
        ));
    }
    let Some(item) = table.get("headers") else { return Some(headers) };
    for (span, item) in item.table("`headers`")?.entries() {
        let is_name = !item.key.is_empty() && item.key.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        if !is_name {
            let fault = Fault::new("this can't be the name of a header").label("letters, digits and hyphens");
            item.file.fault(span, fault);
            return None;
        }
        let value = secret::read(&item, context)?;
        headers.push((item.key.to_owned(), header_value(&item, value)?));
    }
    Some(headers)
}

fn header_value(item: &Item<'_>, value: Secret) -> Option<Secret> {
    if value.expose().chars().all(|c| c.is_ascii() && !c.is_control()) {
        return Some(value);
    }
    item.fault(Fault::new(format!("`{}` can't stand in a header", item.key)).label("no line breaks, ASCII only"));
    None
}

fn read_late(item: &Item<'_>) -> Option<Duration> {
    let late = item.duration()?;
    if late < Duration::from_secs(60) {
        item.fault(Fault::new("`late` is too short").label("write at least \"1m\""));
        return None;
    }
    Some(late)
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn plain_http_stays_on_this_machine() {
        assert!(is_local("localhost:8080") && is_local("127.0.0.1") && is_local("[::1]:9"));
        assert!(!is_local("localhost.example") && !is_local("10.0.0.1") && !is_local("") && !is_local("[::2]:1"));
        assert!(!is_local("localhost:80@elsewhere.example"), "a login before the host of another machine");
    }
}
