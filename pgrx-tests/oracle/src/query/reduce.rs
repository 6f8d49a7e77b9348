//! In which ways can a statement be made a little smaller?
//!
//! Every reduction may change what the query means, or make it invalid: whoever reduces looks whether the fault is
//! still there. None makes a result depend on the order of rows that the query does not order.

use super::tree::{Body, Condition, Cte, From, Join, Mode, Query, Select, Statement};

impl Statement {
    /// Smaller statements, the ones that lose most first.
    pub fn reductions(&self) -> Vec<Statement> {
        let mut smaller = Vec::new();
        let executions = self
            .parameters
            .first()
            .map_or(1, |first| first.values.len());
        if self.mode != Mode::Inline(0) {
            smaller
                .extend((0..executions).map(|execution| self.with_mode(Mode::Inline(execution))));
        }
        if !self.settings.is_empty() {
            smaller.push(Statement {
                settings: Vec::new(),
                ..self.clone()
            });
            smaller.extend(without_one(&self.settings).map(|settings| Statement {
                settings,
                ..self.clone()
            }));
        }
        smaller.extend(self.query.reductions().into_iter().map(|query| Statement {
            query,
            ..self.clone()
        }));
        smaller
    }

    fn with_mode(&self, mode: Mode) -> Statement {
        let parameters = match mode {
            Mode::Inline(execution) => {
                let kept = self.parameters.iter().cloned().map(|mut parameter| {
                    parameter.values = vec![parameter.values[execution].clone()];
                    parameter
                });
                kept.collect()
            }
            _ => self.parameters.clone(),
        };
        Statement {
            mode: Mode::Inline(0),
            parameters,
            ..self.clone()
        }
    }
}

impl Query {
    fn reductions(&self) -> Vec<Query> {
        let mut smaller = Vec::new();
        if self.limit.is_some() || self.offset.is_some() {
            smaller.push(Query {
                limit: None,
                offset: None,
                ..self.clone()
            });
            if self.limit.is_some() && self.offset.is_some() {
                smaller.push(Query {
                    offset: None,
                    ..self.clone()
                });
            }
        } else if !self.order.is_empty() {
            smaller.push(Query {
                order: Vec::new(),
                ..self.clone()
            });
        }
        smaller.extend(self.cte_reductions());
        match &self.body {
            Body::Set {
                operator,
                left,
                right,
            } => smaller.extend(self.set_reductions(operator, left, right)),
            Body::Select(select) => smaller.extend(self.select_reductions(select)),
        }
        smaller
    }

    fn cte_reductions(&self) -> Vec<Query> {
        let mut smaller = Vec::new();
        for (index, cte) in self.ctes.iter().enumerate() {
            let mut ctes = self.ctes.clone();
            ctes.remove(index);
            smaller.push(Query {
                ctes,
                ..self.clone()
            });
            smaller.extend(cte.query.reductions().into_iter().map(|query| {
                let mut ctes = self.ctes.clone();
                ctes[index] = Cte {
                    query,
                    ..cte.clone()
                };
                Query {
                    ctes,
                    ..self.clone()
                }
            }));
        }
        smaller
    }

    fn set_reductions(&self, operator: &'static str, left: &Query, right: &Query) -> Vec<Query> {
        let with = |left: Query, right: Query| Query {
            body: Body::Set {
                operator,
                left: Box::new(left),
                right: Box::new(right),
            },
            ..self.clone()
        };
        let mut smaller = Vec::new();
        if self.ctes.is_empty()
            && self.order.is_empty()
            && self.limit.is_none()
            && self.offset.is_none()
        {
            smaller.extend([left.clone(), right.clone()]);
        }
        smaller.extend(
            left.reductions()
                .into_iter()
                .map(|left| with(left, right.clone())),
        );
        smaller.extend(
            right
                .reductions()
                .into_iter()
                .map(|right| with(left.clone(), right)),
        );
        smaller
    }

    fn select_reductions(&self, select: &Select) -> Vec<Query> {
        let mut smaller = Vec::new();
        if let Some(from) = &select.from {
            for (kept, dropped) in from.halves() {
                smaller.push(self.without_aliases(select, kept, &dropped));
            }
        }
        smaller.extend(select.reductions().into_iter().map(|select| Query {
            body: Body::Select(Box::new(select)),
            ..self.clone()
        }));
        smaller
    }

    /// The query over one half of its join, without what mentions the other half.
    fn without_aliases(&self, select: &Select, from: From, dropped: &[String]) -> Query {
        let mentions = |sql: &str| dropped.iter().any(|alias| mentions(sql, alias));
        let kept = |items: &[String]| {
            items
                .iter()
                .filter(|item| !mentions(item))
                .cloned()
                .collect::<Vec<_>>()
        };
        let drop = |condition: &Option<Condition>| {
            condition
                .as_ref()
                .and_then(|condition| condition.without(&mentions))
        };
        let mut items = kept(&select.items);
        if items.is_empty() {
            items.push("1".to_owned());
        }
        let body = Body::Select(Box::new(Select {
            distinct: if mentions(&select.distinct) {
                String::new()
            } else {
                select.distinct.clone()
            },
            items,
            from: Some(from),
            filter: drop(&select.filter),
            group: kept(&select.group),
            having: drop(&select.having),
        }));
        Query {
            body,
            order: kept(&self.order),
            ..self.clone()
        }
    }
}

/// Whether SQL has a column of an alias.
fn mentions(sql: &str, alias: &str) -> bool {
    sql.match_indices(alias).any(|(at, _)| {
        let before = sql[..at].chars().next_back();
        let after = sql[at + alias.len()..].chars().next();
        let is_word = |letter: Option<char>| {
            letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
        };
        !is_word(before) && !is_word(after)
    })
}

impl Select {
    fn reductions(&self) -> Vec<Select> {
        let mut smaller = Vec::new();
        if !self.distinct.is_empty() {
            smaller.push(Select {
                distinct: String::new(),
                ..self.clone()
            });
        }
        if let Some(filter) = &self.filter {
            smaller.push(Select {
                filter: None,
                ..self.clone()
            });
            smaller.extend(filter.reductions().into_iter().map(|filter| Select {
                filter: Some(filter),
                ..self.clone()
            }));
        }
        if let Some(having) = &self.having {
            smaller.push(Select {
                having: None,
                ..self.clone()
            });
            smaller.extend(having.reductions().into_iter().map(|having| Select {
                having: Some(having),
                ..self.clone()
            }));
        }
        if let Some(from) = &self.from {
            smaller.extend(from.reductions().into_iter().map(|from| Select {
                from: Some(from),
                ..self.clone()
            }));
        }
        smaller.extend(without_one(&self.group).map(|group| Select {
            group,
            ..self.clone()
        }));
        if self.items.len() > 1 {
            smaller.extend(without_one(&self.items).map(|items| Select {
                items,
                ..self.clone()
            }));
        }
        smaller
    }
}

impl From {
    /// Each side of a join alone, with the aliases that went with the other side.
    fn halves(&self) -> Vec<(From, Vec<String>)> {
        let From::Join(join) = self else {
            return Vec::new();
        };
        let mut halves = vec![
            (join.left.clone(), join.right.aliases()),
            (join.right.clone(), join.left.aliases()),
        ];
        // One level down, the other side of the upper join stays.
        for (kept, dropped) in join.left.halves() {
            let on = join.on.as_ref().map(|on| {
                on.without(&|sql| dropped.iter().any(|alias| mentions(sql, alias)))
                    .unwrap_or_else(|| Condition::Atom("true".to_owned()))
            });
            halves.push((
                From::Join(Box::new(Join {
                    left: kept,
                    on,
                    ..(**join).clone()
                })),
                dropped,
            ));
        }
        halves
    }

    fn aliases(&self) -> Vec<String> {
        match self {
            From::Table { alias, .. } | From::Derived { alias, .. } => vec![alias.clone()],
            From::Join(join) => [join.left.aliases(), join.right.aliases()].concat(),
        }
    }

    fn reductions(&self) -> Vec<From> {
        match self {
            From::Table { .. } => Vec::new(),
            From::Derived {
                lateral,
                query,
                alias,
            } => {
                let derived = |query: Query| From::Derived {
                    lateral: *lateral,
                    query: Box::new(query),
                    alias: alias.clone(),
                };
                query.reductions().into_iter().map(derived).collect()
            }
            From::Join(join) => {
                let with = |change: &dyn Fn(&mut Join)| {
                    let mut join = join.clone();
                    change(&mut join);
                    From::Join(join)
                };
                let mut smaller = Vec::new();
                if join.on.is_some() && join.kind != "INNER JOIN" {
                    smaller.push(with(&|join| join.kind = "INNER JOIN"));
                }
                smaller.extend(
                    join.left
                        .reductions()
                        .into_iter()
                        .map(|left| with(&|join| join.left = left.clone())),
                );
                smaller.extend(
                    join.right
                        .reductions()
                        .into_iter()
                        .map(|right| with(&|join| join.right = right.clone())),
                );
                let on = join.on.iter().flat_map(Condition::reductions);
                smaller.extend(on.map(|on| with(&|join| join.on = Some(on.clone()))));
                smaller
            }
        }
    }
}

impl Condition {
    fn reductions(&self) -> Vec<Condition> {
        match self {
            Condition::And(arms) => arm_reductions(arms, Condition::And),
            Condition::Or(arms) => arm_reductions(arms, Condition::Or),
            Condition::Not(inner) => {
                let mut smaller = vec![(**inner).clone()];
                smaller.extend(
                    inner
                        .reductions()
                        .into_iter()
                        .map(|inner| Condition::Not(Box::new(inner))),
                );
                smaller
            }
            Condition::Atom(_) => Vec::new(),
            Condition::List(before, items, after) => {
                let lists = without_one(items).filter(|items| !items.is_empty());
                lists
                    .map(|items| Condition::List(before.clone(), items, after))
                    .collect()
            }
            Condition::Sub(before, query, after) => {
                let queries = query.reductions().into_iter();
                queries
                    .map(|query| Condition::Sub(before.clone(), Box::new(query), after))
                    .collect()
            }
        }
    }

    /// What is left without the parts that are to be dropped.
    fn without(&self, drop: &dyn Fn(&str) -> bool) -> Option<Condition> {
        let arms = |arms: &[Condition]| {
            arms.iter()
                .filter_map(|arm| arm.without(drop))
                .collect::<Vec<_>>()
        };
        match self {
            Condition::And(all) => Some(arms(all))
                .filter(|arms| !arms.is_empty())
                .map(Condition::And),
            Condition::Or(all) => Some(arms(all))
                .filter(|arms| !arms.is_empty())
                .map(Condition::Or),
            Condition::Not(inner) => inner
                .without(drop)
                .map(|inner| Condition::Not(Box::new(inner))),
            other => (!drop(&other.to_string())).then(|| other.clone()),
        }
    }
}

fn arm_reductions(arms: &[Condition], make: fn(Vec<Condition>) -> Condition) -> Vec<Condition> {
    let mut smaller: Vec<Condition> = arms.to_vec();
    if arms.len() > 2 {
        smaller.extend(without_one(arms).map(make));
    }
    for (index, arm) in arms.iter().enumerate() {
        smaller.extend(arm.reductions().into_iter().map(|arm| {
            let mut arms = arms.to_vec();
            arms[index] = arm;
            make(arms)
        }));
    }
    smaller
}

/// The list without each of its items.
fn without_one<T: Clone>(items: &[T]) -> impl Iterator<Item = Vec<T>> {
    (0..items.len()).map(|left_out| {
        let mut kept = items.to_vec();
        kept.remove(left_out);
        kept
    })
}
