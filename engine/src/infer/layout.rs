//! Where the rows are in a response, and what they look like there.

use super::survey::Survey;
use super::written;
use crate::model::Segment;
use std::borrow::Cow;

/// Levels below the root at which rows are looked for.
const LEVELS: usize = 3;
/// Members that make an object a map, if they resemble each other.
const LEAST_OF_MAP: usize = 3;

/// Members that hold rows, or the one row, in the APIs of many.
const USUAL: [&str; 20] = [
    "data",
    "items",
    "results",
    "result",
    "records",
    "rows",
    "entries",
    "values",
    "value",
    "list",
    "features",
    "hits",
    "docs",
    "documents",
    "content",
    "elements",
    "objects",
    "resources",
    "response",
    "entities",
];

/// Members that hold the names of columns.
const NAMES: [&str; 8] = [
    "columns",
    "cols",
    "fields",
    "header",
    "headers",
    "names",
    "column_names",
    "columnNames",
];

/// Where the rows are.
pub(super) struct Layout<'a> {
    /// The path from the root.
    pub(super) rows: Vec<Segment>,
    pub(super) shape: Shape,
    /// What the rows have in common.
    pub(super) row: Cow<'a, Survey>,
    /// How many there are.
    pub(super) count: u64,
    /// What else the rows could be.
    pub(super) notes: Vec<String>,
}

/// What the rows look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    Objects,
    /// The names of the elements, where they are known; and where they stand, if that is before the rows.
    Arrays {
        names: Option<Vec<String>>,
        columns_field: Option<Vec<Segment>>,
    },
    Map,
    Values,
    Single,
    /// Records of CSV, with the names of their fields, where they have any.
    Records {
        names: Option<Vec<String>>,
    },
}

/// Finds the rows; `None` where there are none. `given`: where they are, if that is known.
pub(super) fn find<'a>(root: &'a Survey, given: Option<&[Segment]>) -> Option<Layout<'a>> {
    if let Some(path) = given {
        let here = root.at(path).and_then(|place| by_itself(place, path));
        return here.map(|layout| with_names(root, layout));
    }
    if !root.is_object() {
        return by_itself(root, &[]);
    }
    let mut arrays = Vec::new();
    collect(root, &mut Vec::new(), &mut arrays);
    of_arrays(root, &arrays, true)
        .or_else(|| of_objects(root, &arrays))
        .or_else(|| of_arrays(root, &arrays, false))
        .or_else(|| of_map(root))
        .or_else(|| of_values(root, &arrays))
        .or_else(|| of_one(root, &arrays))
}

/// The rows of a format that has nothing around them; `None` where there are none. `header`: the names of their fields.
pub(super) fn find_bare<'a>(
    root: &'a Survey,
    header: Option<&[String]>,
    is_csv: bool,
) -> Option<Layout<'a>> {
    let mut layout = by_itself(root, &[])?;
    if is_csv {
        let names = header.map(<[String]>::to_vec);
        layout.shape = Shape::Records { names };
    }
    Some(layout)
}

/// An array of the response, and where it is.
struct Found<'a> {
    path: Vec<Segment>,
    array: &'a Survey,
}

impl Found<'_> {
    fn is_usual(&self) -> bool {
        self.path
            .last()
            .is_some_and(|name| USUAL.contains(&name.as_str()))
    }

    fn count(&self) -> u64 {
        self.array
            .arrays
            .elements
            .as_deref()
            .map_or(0, Survey::count)
    }

    fn holds(&self, what: impl Fn(&Survey) -> bool) -> bool {
        self.array.arrays.elements.as_deref().is_some_and(what)
    }
}

/// The arrays that stand below nothing but objects, in the order of the document.
fn collect<'a>(at: &'a Survey, path: &mut Vec<Segment>, found: &mut Vec<Found<'a>>) {
    for (name, member) in &at.objects.members {
        path.push(name.clone());
        if member.is_array() && member.arrays.count == 1 && member.nulls == 0 {
            found.push(Found {
                path: path.clone(),
                array: member,
            });
        } else if member.is_object() && path.len() < LEVELS {
            collect(member, path, found);
        }
        path.pop();
    }
}

/// The rows where they must be at this place.
fn by_itself<'a>(place: &'a Survey, path: &[Segment]) -> Option<Layout<'a>> {
    let layout = |shape, row: &'a Survey, count| Layout {
        rows: path.to_vec(),
        shape,
        row: Cow::Borrowed(row),
        count,
        notes: Vec::new(),
    };
    if place.is_array() {
        let elements = place.arrays.elements.as_deref()?;
        let shape = if is_list(elements) {
            Shape::Objects
        } else if is_table(elements) {
            let (names, columns_field) = (None, None);
            Shape::Arrays {
                names,
                columns_field,
            }
        } else {
            Shape::Values
        };
        return Some(layout(shape, elements, elements.count()));
    }
    if place.values() == 0 {
        return None;
    }
    map(place, path).or_else(|| Some(layout(Shape::Single, place, 1)))
}

fn is_list(elements: &Survey) -> bool {
    elements.is_object() && elements.nulls == 0
}

fn is_table(elements: &Survey) -> bool {
    elements.is_array() && elements.nulls == 0 && !elements.arrays.places.is_empty()
}

/// An array of objects. Of several the one with a usual name, else the longest.
fn of_objects<'a>(root: &'a Survey, arrays: &[Found<'a>]) -> Option<Layout<'a>> {
    let lists: Vec<&Found> = arrays.iter().filter(|found| found.holds(is_list)).collect();
    let order = |found: &&&Found| {
        (
            found.is_usual(),
            found.count(),
            usize::MAX - found.path.len(),
        )
    };
    // Of equals the first.
    let best = lists.iter().rev().max_by_key(order)?;
    let is_entity = root.member("id").is_some_and(Survey::is_scalar);
    if is_entity && !best.is_usual() {
        return None;
    }
    let mut layout = by_itself(best.array, &best.path)?;
    let others = lists.iter().filter(|found| found.path != best.path);
    let others: Vec<String> = others
        .map(|found| format!("rows '{}'", named(&found.path)))
        .collect();
    if !others.is_empty() {
        let note = "there are other arrays of objects in the response, which would be other tables";
        layout.notes.push(format!("{note}: {}", others.join(", ")));
    }
    Some(layout)
}

/// An array of arrays: where another array names their elements (`named`), or its own name says that it has rows.
fn of_arrays<'a>(root: &'a Survey, arrays: &[Found<'a>], named: bool) -> Option<Layout<'a>> {
    let tables = arrays.iter().filter(|found| found.holds(is_table));
    let mut layouts = tables.filter_map(|found| {
        let layout = with_names(root, by_itself(found.array, &found.path)?);
        let is_named = matches!(&layout.shape, Shape::Arrays { names: Some(_), .. });
        (is_named || (!named && found.is_usual())).then_some(layout)
    });
    layouts.next()
}

/// Looks for the names of the elements of rows that are arrays.
fn with_names<'a>(root: &'a Survey, mut layout: Layout<'a>) -> Layout<'a> {
    let Shape::Arrays {
        names,
        columns_field,
    } = &mut layout.shape
    else {
        return layout;
    };
    let mut arrays = Vec::new();
    collect(root, &mut Vec::new(), &mut arrays);
    let width = layout.row.arrays.places.len();
    let rows_at = arrays.iter().position(|found| found.path == layout.rows);
    for (index, found) in arrays.iter().enumerate() {
        let listed = found.array.arrays.names.as_ref();
        let says_so = found
            .path
            .last()
            .is_some_and(|name| NAMES.contains(&name.as_str()));
        let Some(listed) = listed.filter(|listed| says_so && listed.len() == width) else {
            continue;
        };
        *names = Some(listed.clone());
        // They are needed when the first row is read.
        *columns_field = rows_at
            .filter(|rows| index < *rows)
            .map(|_| found.path.clone());
        if columns_field.is_none() {
            layout.notes.push(format!(
                "the names of the columns come after the rows in the response (\"{}\"), so they are taken by position",
                named(&found.path)
            ));
        }
        break;
    }
    layout
}

/// An object whose members are the rows: the document, or a member of it.
fn of_map(root: &Survey) -> Option<Layout<'static>> {
    map(root, &[]).or_else(|| {
        let mut members = root.objects.members.iter();
        members.find_map(|(name, member)| map(member, std::slice::from_ref(name)))
    })
}

/// The members of an object as rows, if they resemble each other.
fn map(place: &Survey, path: &[Segment]) -> Option<Layout<'static>> {
    let members: Vec<&Survey> = place
        .objects
        .members
        .iter()
        .map(|(_, member)| member)
        .collect();
    let others = place.objects.others.as_deref();
    let is_row = |member: &Survey| member.is_object() && member.nulls == 0;
    if !place.is_object()
        || place.objects.count != 1
        || members.len() < LEAST_OF_MAP
        || !members.iter().copied().chain(others).all(is_row)
    {
        return None;
    }
    let mut row = Survey::default();
    members
        .into_iter()
        .chain(others)
        .for_each(|member| row.merge(member));
    let present: u64 = row
        .objects
        .members
        .iter()
        .map(|(_, member)| member.count())
        .sum();
    // Each of the names in at least half of the members.
    let is_alike = present * 2 >= row.objects.count * row.objects.members.len() as u64;
    let names = place.objects.members.iter().take(3);
    let names: Vec<String> = names
        .map(|(name, _)| format!("\"{}\"", written::shown(name)))
        .collect();
    (present > 0 && is_alike).then(|| Layout {
        rows: path.to_vec(),
        shape: Shape::Map,
        count: row.objects.count,
        row: Cow::Owned(row),
        notes: vec![format!(
            "the members {}, ... resemble each other, so that each is a row; if the response is one row, set rows_shape 'single'",
            names.join(", ")
        )],
    })
}

/// An array of plain values with a usual name.
fn of_values<'a>(root: &Survey, arrays: &[Found<'a>]) -> Option<Layout<'a>> {
    let is_entity = root.member("id").is_some();
    let mut values = arrays
        .iter()
        .filter(|found| found.is_usual() && found.count() > 0);
    let found = values.next().filter(|_| !is_entity)?;
    by_itself(found.array, &found.path)
}

/// The response as the one row, or the usual member of it that is; none where an array of rows is empty.
fn of_one<'a>(root: &'a Survey, arrays: &[Found<'a>]) -> Option<Layout<'a>> {
    let is_entity = root.member("id").is_some();
    if !is_entity
        && arrays
            .iter()
            .any(|found| found.is_usual() && found.count() == 0)
    {
        return None;
    }
    let wrapped = |name: &str| root.member(name).filter(|member| member.is_object());
    let wrapper = USUAL
        .iter()
        .find(|name| wrapped(name).is_some())
        .filter(|_| !is_entity);
    let (place, path) =
        match wrapper.and_then(|name| Some((wrapped(name)?, vec![(*name).to_owned()]))) {
            Some(found) => found,
            None => (root, Vec::new()),
        };
    Some(Layout {
        rows: path,
        shape: Shape::Single,
        row: Cow::Borrowed(place),
        count: 1,
        notes: vec![match arrays.iter().find(|found| found.holds(is_list)) {
            Some(list) => format!(
                "the response is one row; if its array is what is wanted, set rows '{}' instead of rows_shape 'single'",
                named(&list.path)
            ),
            None => "the response is one row".to_owned(),
        }],
    })
}

fn named(path: &[Segment]) -> String {
    written::shown(&written::path(path))
}
