//! The lab's findings as a page for people.

use std::fmt::Write as _;

use super::{Endured, Kind, Outcome, Path};

/// The page that `./dev lab` writes: who goes direct, and how soon something is seen.
pub fn page(outcomes: &[Outcome], said: &[(Kind, Vec<String>)]) -> String {
    let mut page = String::from(
        "# Who meets whom directly\n\n\
         Written by `./dev lab`: real programs in network namespaces of one machine, a server with its\n\
         relay on TCP and UDP 443 of one host, address disclosure `public`, mode *view*. Rows are the\n\
         operator's network, columns the end user's. A cell says which path carried the session in the\n\
         end, then how long after the person's yes the first picture was decoded, on whichever path.\n\
         Round trips in the lab are near zero; wall time on a busy machine varies, the paths do not:\n\
         `./dev lab` fails if any pair comes to another path than it must.\n\n",
    );
    matrix(&mut page, outcomes);
    let count = |path| outcomes.iter().filter(|outcome| outcome.path == path).count();
    let _ = write!(
        page,
        "\n{} of {} pairs go direct, and {} over UDP through the relay (TURN); every other pair is relayed\n\
         over TCP, and none is without a path.\n",
        count(Path::Direct),
        outcomes.len(),
        count(Path::Turn),
    );
    times(&mut page, outcomes);
    if !said.is_empty() {
        page.push_str("\n## What `tasuki doctor` says there\n\n| network | it says |\n|---|---|\n");
        for (kind, codes) in said {
            let _ = writeln!(page, "| {} | {} |", kind.name(), codes.join(", "));
        }
    }
    page
}

fn matrix(page: &mut String, outcomes: &[Outcome]) {
    let of = |operator, agent| outcomes.iter().find(|o| o.operator == operator && o.agent == agent);
    page.push_str("| operator \\ end user |");
    for agent in Kind::ALL {
        let _ = write!(page, " {} |", agent.name());
    }
    let _ = writeln!(page, "\n|---|{}", "---|".repeat(Kind::ALL.len()));
    for operator in Kind::ALL {
        let _ = write!(page, "| **{}** |", operator.name());
        for agent in Kind::ALL {
            let cell = of(operator, agent).map_or("-".to_owned(), |outcome| {
                format!("{} {:.2} s", outcome.path.name(), outcome.first_frame.as_secs_f64())
            });
            let _ = write!(page, " {cell} |");
        }
        page.push('\n');
    }
}

fn times(page: &mut String, outcomes: &[Outcome]) {
    for path in [Path::Direct, Path::Turn, Path::Relayed] {
        let mut times: Vec<f64> = outcomes
            .iter()
            .filter(|outcome| outcome.path == path)
            .map(|outcome| outcome.first_frame.as_secs_f64())
            .collect();
        times.sort_by(f64::total_cmp);
        if let (Some(middle), Some(last)) = (times.get(times.len() / 2), times.last()) {
            let name = path.name();
            let _ = writeln!(
                page,
                "First picture where the session ends up {name}: median {middle:.2} s, at most {last:.2} s."
            );
        }
    }
}

/// The page that `./dev lab far` writes.
pub fn far_page(all: &[Endured]) -> String {
    let mut page = String::from(
        "# Over long lines\n\n\
         Written by `./dev lab far`: real programs in network namespaces, mode *control*, a picture of\n\
         1280x720 in which 400x300 change twenty times a second. Between the end user and his router\n\
         stands a line that delays, narrows and loses packets in each direction (TUN devices and a\n\
         process between them). Paired: from the typed number, program start included, to the question;\n\
         first picture: from the yes to the first decoded one. A key is timed from the operator's order\n\
         to the host's display, and the next is pressed once it was heard: a lost or doubled one fails\n\
         the run. Gaps: times that no path carried anything.\n\n\
         | round trip | loss each way | rate | path | paired | first picture | pictures/s | keys | p50 | p90 | p99 | gaps | watched |\n\
         |---:|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for endured in all {
        let line = endured.line;
        let rate = line.kilobits.map_or("-".to_owned(), |rate| format!("{rate} kbit/s"));
        let ms = |time: std::time::Duration| format!("{} ms", time.as_millis());
        let _ = writeln!(
            page,
            "| {} | {} % | {rate} | {} | {} | {} | {:.1} | {} | {} | {} | {} | {} | {:.0} s |",
            ms(line.delay * 2),
            line.loss_percent,
            endured.way.name(),
            ms(endured.paired_after),
            ms(endured.first_frame),
            endured.rate(),
            endured.keys.len(),
            ms(endured.key(50)),
            ms(endured.key(90)),
            ms(endured.key(99)),
            endured.gaps,
            endured.watched.as_secs_f64(),
        );
    }
    page
}
