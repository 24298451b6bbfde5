//! Surveys, and what customers answered.

use super::super::calendar::{DAY, Moment, SECOND};
use super::super::conversation::Case;
use super::super::pattern::Pattern;
use super::super::row::{Rows, row};
use super::super::texts;
use super::super::world::{Kind, World};
use super::Table;
use super::customers;

pub(super) const TABLES: [Table; 4] = [
    Table { name: "surveys", units: |_| SURVEYS.len() as u64, fill: surveys },
    Table { name: "survey_questions", units: |_| QUESTIONS_OF_SURVEY.first(SURVEYS.len() as u64), fill: questions },
    Table { name: "survey_responses", units: response_count, fill: responses },
    Table { name: "survey_answers", units: response_count, fill: answers },
];

/// Name and provider of the surveys.
const SURVEYS: [(&str, &str); 3] =
    [("One question", "internal"), ("After the case, short", "internal"), ("Enquête annuelle", "surveys.example")];
const QUESTIONS_OF_SURVEY: Pattern<3> = Pattern([1, 3, 10]);
/// Of how many cases one is asked about.
const CASES_PER_RESPONSE: u64 = 7;
/// A thread's two cases that its customer answered the same survey about.
const TWICE: [u64; 2] = [5, 6];

fn response_count(world: &World) -> u64 {
    world.cases / CASES_PER_RESPONSE + 1
}

/// A survey that was sent.
struct Response {
    survey: u64,
    case: Case,
    sent: Moment,
    responded: Option<Moment>,
    score: Option<u64>,
}

impl Response {
    fn new(world: &World, index: u64) -> Response {
        let mut random = world.random(Kind::Response, index);
        let last = index == response_count(world) - 1;
        let case = world.case(if last { TWICE[1] } else { index * CASES_PER_RESPONSE + TWICE[0] });
        let twice = last || index == 0;
        let sent = case.closed.unwrap_or(case.last().at);
        let wait = (60 + random.below(2 * 86_400)) as i64 * SECOND;
        Response {
            survey: if twice { 1 } else { random.below(SURVEYS.len() as u64) },
            case,
            sent,
            responded: (twice || random.chance(85)).then(|| sent.plus_within(wait)),
            score: (twice || random.chance(90)).then(|| random.below(11)),
        }
    }
}

fn surveys(world: &World, index: u64, rows: &mut Rows) {
    let (name, provider) = SURVEYS[index as usize];
    row!(rows;
        id: world.id(Kind::Survey, index),
        name: name,
        provider: provider,
        external_id: (index > 0).then(|| format!("S-{index}")),
        active: index != 2,
        created_at: world.founded(index),
        updated_at: world.founded(index),
    );
}

fn questions(world: &World, index: u64, rows: &mut Rows) {
    const QUESTIONS: [&str; 5] = [
        "Would you recommend us, yes or no?",
        "How \"easy\" was it?",
        "Qu'avez-vous pensé de la réponse ?",
        "Что нам улучшить?",
        "サービスはいかがでしたか？",
    ];
    let (survey, place) = QUESTIONS_OF_SURVEY.owner(index);
    row!(rows;
        id: world.id(Kind::Question, index),
        survey_id: world.id(Kind::Survey, survey),
        external_id: (index != 2).then(|| format!("Q-{index}")),
        position: place + 1,
        text: QUESTIONS[index as usize % QUESTIONS.len()],
        is_main: place == 0,
    );
}

fn responses(world: &World, index: u64, rows: &mut Rows) {
    let response = Response::new(world, index);
    let case = &response.case;
    let score = response.score.filter(|_| response.responded.is_some());
    row!(rows;
        id: world.id(Kind::Response, index),
        survey_id: world.id(Kind::Survey, response.survey),
        external_id: (index % 3 != 1).then(|| format!("R/{index:06}")),
        case_id: world.id(Kind::Case, case.index),
        thread_id: world.id(Kind::Thread, case.thread.index),
        channel_id: world.id(Kind::Channel, case.thread.channel as u64),
        agent_id: case.agent.map(|agent| world.id(Kind::Agent, agent)),
        identity_id: world.id(Kind::Identity, case.thread.identity),
        main_score: score,
        main_score_scaled: score.map(|score| score as f64 / 3.0),
        responded_at: response.responded,
        created_at: response.sent,
        updated_at: response.responded.map_or(response.sent, |at| at.plus_within((index % 3) as i64 * DAY)),
    );
}

fn answers(world: &World, index: u64, rows: &mut Rows) {
    let response = Response::new(world, index);
    if response.responded.is_none() {
        return;
    }
    let mut random = world.random(Kind::Response, index + (1 << 40));
    let person = customers::person(world, response.case.thread.identity);
    for place in 0..QUESTIONS_OF_SURVEY.count(response.survey) {
        let (text, value) = match random.below(5) {
            0 => (None, None),
            1 => (Some(texts::text(person.origin.language, false, &mut random)), None),
            2 => (Some(format!("{} was helpful", person.first_name)), Some("")),
            3 => (Some(String::new()), Some("0")),
            _ => (Some("Yes, of course".to_owned()), Some("yes")),
        };
        row!(rows;
            response_id: world.id(Kind::Response, index),
            question_id: world.id(Kind::Question, QUESTIONS_OF_SURVEY.first(response.survey) + place),
            text: text,
            value: value,
        );
    }
}
