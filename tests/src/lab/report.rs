//! The lab's findings as a page for people.

use std::fmt::Write as _;

use super::{Kind, Outcome, Path};

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
    let direct = outcomes.iter().filter(|outcome| outcome.path == Path::Direct).count();
    let _ = write!(
        page,
        "\n{} of {} pairs go direct; every other pair is relayed, and none is without a path.\n",
        direct,
        outcomes.len()
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
    for path in [Path::Direct, Path::Relayed] {
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
