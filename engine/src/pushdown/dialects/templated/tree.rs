//! Conditions as a tree of parameters: `filters[$or][0][a][$eq]=1&filters[$or][1][b][$gt]=2`.

use crate::model::Table;
use crate::pushdown::dialects::spelling::{Connective, Fragment, Parameter, parameters};

/// The most arms of a list that parsers of query strings take for one (`arrayLimit` of qs in Strapi's configuration).
const MOST_ARMS: usize = 100;

/// A tree of conditions, which a parameter's name leads into.
pub(super) struct Tree {
    /// What all of its parameters' names begin with.
    pub(super) root: &'static str,
}

impl Tree {
    /// Whether a parameter is one of the tree's.
    pub(super) fn has(&self, name: &str) -> bool {
        self.below(name).is_some()
    }

    /// What follows the root in a name: `[a][$eq]`.
    fn below<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(self.root)
            .filter(|rest| rest.starts_with('['))
    }

    /// Conditions that are written, as one.
    ///
    /// # Errors
    /// Why they cannot be.
    pub(super) fn joined(
        &self,
        connective: Connective,
        parts: &[Fragment],
    ) -> Result<Fragment, String> {
        if parts.len() > MOST_ARMS {
            return Err(format!("the API takes no more than {MOST_ARMS} conditions"));
        }
        let mut all = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            for parameter in parameters(&[part]) {
                all.push(self.moved(connective, index, parameter)?);
            }
        }
        Ok(Fragment::Parameters(all))
    }

    fn moved(
        &self,
        connective: Connective,
        index: usize,
        parameter: Parameter,
    ) -> Result<Parameter, String> {
        let word = match connective {
            Connective::And => "$and",
            Connective::Or => "$or",
        };
        let Some(below) = self.below(&parameter.name) else {
            return Err(format!(
                "parameter \"{}\" has no place in a tree of conditions",
                parameter.name
            ));
        };
        let name = format!("{}[{word}][{index}]{below}", self.root);
        Ok(Parameter { name, ..parameter })
    }

    /// The parameters of conditions all of which hold; below `$and` where some of them would meet.
    pub(super) fn all(&self, table: &Table, terms: &[&Fragment]) -> Vec<Parameter> {
        let own = |term: &&Fragment| parameters(&[term]);
        let each: Vec<Vec<Parameter>> = terms.iter().map(own).collect();
        let constants: Vec<&str> = table
            .query
            .iter()
            .chain(&table.source.query)
            .map(|(name, _)| name.as_str())
            .filter(|name| self.has(name))
            .collect();
        if !self.meet(&each, &constants) {
            return each.concat();
        }
        // Places that the table's own conditions may have.
        let is_and = |name: &&&str| self.key(name) == "[$and]";
        let taken = constants.iter().filter(is_and).count();
        let mut all = Vec::new();
        for (index, term) in each.into_iter().enumerate() {
            for parameter in term {
                let moved = self.moved(Connective::And, taken + index, parameter.clone());
                all.push(moved.unwrap_or(parameter));
            }
        }
        all
    }

    /// What two conditions cannot both have: a list of arms, or a whole name.
    fn key<'a>(&self, name: &'a str) -> &'a str {
        match self.below(name) {
            Some(below) if below.starts_with("[$") => {
                below.split_inclusive(']').next().unwrap_or(below)
            }
            _ => name,
        }
    }

    /// Whether two of the conditions, or one and a constant, have the same key.
    fn meet(&self, each: &[Vec<Parameter>], constants: &[&str]) -> bool {
        let mut seen: Vec<&str> = constants.iter().map(|name| self.key(name)).collect();
        for term in each {
            let own = term.iter().map(|parameter| self.key(&parameter.name));
            let own: Vec<&str> = own.collect();
            if own.iter().any(|key| seen.contains(key)) {
                return true;
            }
            seen.extend(own);
        }
        false
    }
}
