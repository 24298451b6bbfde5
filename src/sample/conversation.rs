//! What the tables of threads, cases and messages agree on: who wrote what to whom, where, when, and in which case.
//!
//! Threads repeat a pattern of eight: from one message to seven, with no case, one case or two.

use super::calendar::{DAY, HOUR, Moment, SECOND};
use super::tables::channels::{self, CHANNELS};
use super::world::{AGENTS, CASES_OF_THREAD, HOUSE_IDENTITIES, Kind, MESSAGES_OF_THREAD, World};

/// Of the seven messages of a thread with two cases, this many belong to the first.
const FIRST_CASE_MESSAGES: u64 = 4;

/// A conversation.
pub(super) struct Thread {
    /// Its index among all threads.
    pub(super) index: u64,
    /// The customer's identity.
    pub(super) identity: u64,
    /// The channel it is on, an index into [`CHANNELS`].
    pub(super) channel: usize,
    /// When it began.
    pub(super) start: Moment,
    /// Its first message.
    pub(super) first: u64,
    /// How many messages it has.
    pub(super) messages: u64,
    /// Its first case.
    pub(super) first_case: u64,
    /// How many cases it has.
    pub(super) cases: u64,
    /// Whether others can't read it.
    pub(super) private: bool,
}

/// A message.
pub(super) struct Message {
    /// Its index among all messages.
    pub(super) index: u64,
    /// Its place in the thread, from 0.
    pub(super) place: u64,
    /// The case it belongs to.
    pub(super) case: Option<u64>,
    /// The agent who wrote it; a customer did if there is none.
    pub(super) agent: Option<u64>,
    /// The identity it was written as.
    pub(super) author: u64,
    /// The message it answers.
    pub(super) answers: Option<u64>,
    /// When it was written.
    pub(super) at: Moment,
}

/// A case: the work on one request.
pub(super) struct Case {
    /// Its index among all cases.
    pub(super) index: u64,
    /// The conversation it is about.
    pub(super) thread: Thread,
    /// The agent who has it.
    pub(super) agent: Option<u64>,
    /// Its messages.
    pub(super) messages: Vec<Message>,
    /// When it was closed, if it is.
    pub(super) closed: Option<Moment>,
    /// Until when it was put off, if it is.
    pub(super) deferred: Option<Moment>,
}

impl Case {
    /// When it was opened: with its first message.
    pub(super) fn opened(&self) -> Moment {
        self.messages[0].at
    }

    /// Its last message.
    pub(super) fn last(&self) -> &Message {
        &self.messages[self.messages.len() - 1]
    }
}

impl World {
    /// The thread `index`.
    pub(super) fn thread(&self, index: u64) -> Thread {
        let mut random = self.random(Kind::Thread, index);
        let first = MESSAGES_OF_THREAD.first(index).min(self.messages);
        let messages = MESSAGES_OF_THREAD.count(index).min(self.messages - first);
        let whole = messages == MESSAGES_OF_THREAD.count(index);
        let cases = CASES_OF_THREAD.count(index).min(if whole { 2 } else { messages.min(1) });
        let spread = Moment::spread(index, self.threads, &mut random);
        let known = (self.identities - HOUSE_IDENTITIES) * (index + 1) / self.threads;
        let identity = HOUSE_IDENTITIES + random.below(known.max(10));
        let channel = channels::of_community(self.community(identity), &mut random);
        Thread {
            index,
            identity,
            channel,
            start: self.bound(index).unwrap_or(spread),
            first,
            messages,
            first_case: CASES_OF_THREAD.first(index),
            cases,
            private: CHANNELS[channel].private || random.chance(30),
        }
    }

    /// The community that the identity `index` is a member of.
    pub(super) fn community(&self, identity: u64) -> u64 {
        identity % HOUSE_IDENTITIES
    }

    /// The messages of `thread`.
    pub(super) fn messages_of(&self, thread: &Thread) -> Vec<Message> {
        let times = self.times(thread);
        let place = |place| self.place_message(thread, place, times[place as usize]);
        (0..thread.messages).map(place).collect()
    }

    /// The message `index` and its thread.
    pub(super) fn message(&self, index: u64) -> (Message, Thread) {
        let (thread, place) = MESSAGES_OF_THREAD.owner(index);
        let thread = self.thread(thread);
        let at = self.times(&thread)[place as usize];
        (self.place_message(&thread, place, at), thread)
    }

    fn place_message(&self, thread: &Thread, place: u64, at: Moment) -> Message {
        let index = thread.first + place;
        let (nth, first) = if thread.cases == 2 && place >= FIRST_CASE_MESSAGES { (1, 4) } else { (0, 0) };
        let case = (thread.cases > 0).then_some(thread.first_case + nth);
        let agent = if place > first { self.writer(case, index, place - first) } else { None };
        Message {
            index,
            place,
            case,
            agent,
            author: if agent.is_some() { self.community(thread.identity) } else { thread.identity },
            answers: (agent.is_some() && place > 0).then(|| index - 1),
            at,
        }
    }

    /// The agent who wrote the message `index`, which comes `after` messages later than its case's first.
    fn writer(&self, case: Option<u64>, index: u64, after: u64) -> Option<u64> {
        let mut random = self.random(Kind::Message, index);
        let Some(case) = case else { return random.chance(20).then(|| random.below(AGENTS)) };
        let owner = self.case_agent(case)?;
        let replies = case != CLOSED_UNANSWERED && random.chance(if after == 1 { 80 } else { 55 });
        replies.then(|| if random.chance(12) { random.below(AGENTS) } else { owner })
    }

    /// When the messages of `thread` were written.
    fn times(&self, thread: &Thread) -> [Moment; 7] {
        let mut random = self.random(Kind::MessageTime, thread.index);
        let mut offsets = [0; 7];
        for place in 1..7 {
            let quick = random.chance(60);
            let gap = if quick { 30 + random.below(1800) } else { 1800 + random.below(30_000) };
            offsets[place] = offsets[place - 1] + gap as i64 * SECOND;
        }
        let room = (Moment::last().0 - thread.start.0).max(HOUR);
        let squeeze = (offsets[6] / room + 1).max(1);
        offsets.map(|offset| thread.start.plus(offset / squeeze / SECOND * SECOND))
    }

    /// The agent who has the case `index`.
    pub(super) fn case_agent(&self, index: u64) -> Option<u64> {
        let mut random = self.random(Kind::Case, index);
        let nobody = index == UNASSIGNED || index > DEFERRED && random.chance(8);
        (!nobody).then(|| random.below(AGENTS))
    }

    /// The case `index`.
    pub(super) fn case(&self, index: u64) -> Case {
        let (thread, nth) = CASES_OF_THREAD.owner(index);
        let thread = self.thread(thread);
        let mut messages = self.messages_of(&thread);
        messages.retain(|message| message.case == Some(thread.first_case + nth));
        let mut random = self.random(Kind::Case, index + (1 << 42));
        let last = messages[messages.len() - 1].at;
        let open = index > DEFERRED && random.chance(12) || index == REOPENED || index == DEFERRED;
        let closed = (!open).then(|| last.plus_within((300 + random.below(90_000)) as i64 * SECOND));
        let deferred = (index == DEFERRED || open && random.chance(25)).then(|| last.plus(3 * DAY));
        Case { index, agent: self.case_agent(index), thread, messages, closed, deferred }
    }
}

/// The case that nobody has.
pub(super) const UNASSIGNED: u64 = 0;
/// The case that was closed without a reply.
pub(super) const CLOSED_UNANSWERED: u64 = 1;
/// The case that was closed and opened again.
pub(super) const REOPENED: u64 = 2;
/// The case that was put off.
pub(super) const DEFERRED: u64 = 3;
