//! The schedules of `CronJobs`: five fields of numbers, names, ranges and steps, or a name for them.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax>, with the messages of the parser
//! that Kubernetes uses, `github.com/robfig/cron/v3`

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const NAMES: [&str; 7] = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

struct Field {
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { least: 0, most: 59, names: &[] },
    Field { least: 0, most: 23, names: &[] },
    Field { least: 1, most: 31, names: &[] },
    Field { least: 1, most: 12, names: &MONTHS },
    Field { least: 0, most: 6, names: &DAYS },
];

/// What is wrong with a schedule, if anything.
pub(super) fn fault(schedule: &str) -> Option<String> {
    let rest = match schedule.split_once(' ') {
        Some((zone, rest)) if zone.starts_with("TZ=") || zone.starts_with("CRON_TZ=") => rest.trim(),
        _ => schedule,
    };
    if rest.starts_with('@') {
        let is_known = NAMES.contains(&rest) || rest.starts_with("@every ");
        return (!is_known).then(|| format!("unrecognized descriptor: {rest}"));
    }
    let texts: Vec<&str> = rest.split_whitespace().collect();
    if texts.len() != FIELDS.len() {
        return Some(format!("expected exactly 5 fields, found {}: [{}]", texts.len(), texts.join(" ")));
    }
    let mut ranges =
        FIELDS.iter().zip(texts).flat_map(|(field, text)| text.split(',').map(move |part| (field, part)));
    ranges.find_map(|(field, part)| field.check(part).err())
}

impl Field {
    fn check(&self, text: &str) -> Result<(), String> {
        let mut parts = text.split('/');
        let (range, step) = (parts.next().unwrap_or_default(), parts.next());
        let mut ends = range.split('-');
        let (first, last) = (ends.next().unwrap_or_default(), ends.next());
        let (start, mut end) = if matches!(first, "*" | "?") {
            (self.least, self.most)
        } else {
            let start = self.number(first)?;
            match last {
                None => (start, start),
                Some(_) if ends.next().is_some() => return Err(format!("too many hyphens: {text}")),
                Some(last) => (start, self.number(last)?),
            }
        };
        if let Some(step) = step {
            if parts.next().is_some() {
                return Err(format!("too many slashes: {text}"));
            }
            let step = plain(step)?;
            if last.is_none() && !matches!(first, "*" | "?") {
                end = self.most;
            }
            if step == 0 {
                return Err(format!("step of range should be a positive number: {text}"));
            }
        }
        if start < self.least {
            return Err(format!("beginning of range ({start}) below minimum ({}): {text}", self.least));
        }
        if end > self.most {
            return Err(format!("end of range ({end}) above maximum ({}): {text}", self.most));
        }
        if start > end {
            return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
        }
        Ok(())
    }

    fn number(&self, text: &str) -> Result<u32, String> {
        let named = self.names.iter().position(|name| text.eq_ignore_ascii_case(name));
        match named.and_then(|index| u32::try_from(index).ok()) {
            Some(index) => Ok(index + self.least),
            None => plain(text),
        }
    }
}

fn plain(text: &str) -> Result<u32, String> {
    match text.parse::<i64>() {
        Ok(number) => {
            u32::try_from(number).map_err(|_| format!("negative number ({number}) not allowed: {text}"))
        }
        Err(_) => {
            Err(format!("failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax"))
        }
    }
}
