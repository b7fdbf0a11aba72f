//! A grammar of expressions that mostly have a value.

use proptest::prelude::Rng;
use proptest::test_runner::TestRng;

/// How deep expressions nest.
const DEPTH: u32 = 4;

/// Makes expressions. Each rule is for expressions of one type; now and then one of another type is put in its place.
pub struct Grammar {
    rng: TestRng,
    /// Names that `for` has bound here, by what they hold.
    bound: Vec<(&'static str, Type)>,
    /// Whether faults are avoided: those in a part that does not count are told differently, which has cases of its own.
    calm: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Bool,
    Number,
    String,
    /// A list or tuple of strings or numbers.
    List,
    /// A map or object.
    Map,
}

const TYPES: [Type; 5] = [Type::Bool, Type::Number, Type::String, Type::List, Type::Map];

#[rustfmt::skip]
const BOOLS: &[&str] = &[
    "true", "false", "yes", "no", "u_bool", "flag", "object.d.e", "\"true\"",
];

#[rustfmt::skip]
const NUMBERS: &[&str] = &[
    "1", "2", "-3", "0.5", "1.25", "1e3", "12345678901234567890", "n", "half", "big", "u_number", "pin",
    "object.a", "number_map.b", "numbers[0]", "tuple[0]", "\"4\"", "people[1].age", "u_map[\"x\"]",
    "nil_number", "u_object.a", "v_object.a", "u_tuple[0]",
];

#[rustfmt::skip]
const STRINGS: &[&str] = &[
    "\"\"", "\"x\"", "\"a b\"", "\"é\\n$${1}%%{\"", "s", "digits", "accents", "empty", "u_string",
    "v_string", "secret", "u_secret", "mixed.open", "mixed.shut", "map.k", "map[\"z\"]", "list[1]",
    "tuple.1", "people[0].name", "part.a", "part.b", "nil_string", "object.b", "1", "true", "u_list[0]",
    "mixed_list[1]", "part_list[1]", "u_object.b",
];

#[rustfmt::skip]
const LISTS: &[&str] = &[
    "[]", "[1, 2]", "[null, \"a\"]", "[\"a\", 1]", "list", "numbers", "no_list", "set", "number_set",
    "tuple", "object.c", "u_list", "u_numbers", "u_set", "u_tuple", "v_list", "part_list", "secrets",
    "mixed_list", "[nil]", "[secret, 1]", "[true, \"b\"]", "u_any",
];

#[rustfmt::skip]
const MAPS: &[&str] = &[
    "{}", "{ a = 1 }", "{ a = \"x\", b = 2 }", "map", "number_map", "no_map", "object", "u_map", "u_object",
    "v_object", "part", "mixed", "secret_map", "{ k = null }", "{ (s) = 1 }", "{ 1 = true }", "nil_object",
    "u_any",
];

impl Grammar {
    pub fn new(rng: TestRng) -> Self {
        Self { rng, bound: Vec::new(), calm: false }
    }

    /// Returns the next expression.
    pub fn expression(&mut self) -> String {
        let ty = self.pick(&TYPES);
        self.of(ty, DEPTH)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.rng.next_u32()).unwrap_or_default() % limit
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let idx = self.below(choices.len());
        choices[idx]
    }

    fn of(&mut self, ty: Type, depth: u32) -> String {
        let ty = if !self.calm && self.below(40) == 0 { self.pick(&TYPES) } else { ty };
        if depth == 0 || self.below(6) == 0 {
            return self.leaf(ty);
        }
        let depth = depth - 1;
        match self.below(12) {
            0 => format!("({})", self.of(ty, depth)),
            1 | 2 => {
                let other = if !self.calm && self.below(4) == 0 { self.pick(&TYPES) } else { ty };
                let condition = self.of(Type::Bool, depth);
                self.calmly(|calm| {
                    format!("({condition} ? {} : {})", calm.of(ty, depth), calm.of(other, depth))
                })
            }
            3 => self.general(ty, depth),
            _ => match ty {
                Type::Bool => self.bool(depth),
                Type::Number => self.number(depth),
                Type::String => self.string(depth),
                Type::List => self.list(depth),
                Type::Map => self.map(depth),
            },
        }
    }

    fn calmly<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.calm, true);
        let made = make(self);
        self.calm = before;
        made
    }

    /// A name that `for` has bound, a name, or a literal.
    fn leaf(&mut self, ty: Type) -> String {
        let bound: Vec<_> = self.bound.iter().filter(|(_, of)| *of == ty).map(|(name, _)| *name).collect();
        if !bound.is_empty() && self.below(2) == 0 {
            return self.pick(&bound).to_owned();
        }
        let names = match ty {
            Type::Bool => BOOLS,
            Type::Number => NUMBERS,
            Type::String => STRINGS,
            Type::List => LISTS,
            Type::Map => MAPS,
        };
        let name = self.pick(names);
        // Null is a fault in most places, and so is what is in it.
        if self.calm && name.contains("nil") { self.leaf(ty) } else { name.to_owned() }
    }

    /// Expressions that can be of any type.
    fn general(&mut self, ty: Type, depth: u32) -> String {
        let inner = self.of(ty, depth);
        match self.below(10) {
            6 if self.calm => inner,
            0 => format!("[{}, {inner}][1]", self.of(ty, depth)),
            1 => format!("{{ x = {inner} }}.x"),
            2 => format!("{{ x = {inner} }}[\"x\"]"),
            3 => format!("try({inner}, {})", self.of(ty, depth)),
            4 => format!("try(object.missing, {inner})"),
            5 => format!("\"${{{inner}}}\""),
            6 => format!("[{inner}][*][0]"),
            7 => format!("sensitive({inner})"),
            8 => format!("[{inner}].0"),
            _ => format!("{}({inner})", self.converter(ty)),
        }
    }

    fn converter(&mut self, ty: Type) -> &'static str {
        match ty {
            Type::Bool => "tobool",
            Type::Number => "tonumber",
            Type::String => "tostring",
            // A set with unknown items has no order here, and one by chance in the reference.
            Type::List => "tolist",
            Type::Map => "tomap",
        }
    }

    fn bool(&mut self, depth: u32) -> String {
        match self.below(9) {
            0 => format!("!{}", self.of(Type::Bool, depth)),
            1 | 2 => {
                let operator = self.pick(&["&&", "||"]);
                let sides = |calm: &mut Self| (calm.of(Type::Bool, depth), calm.of(Type::Bool, depth));
                let (left, right) = self.calmly(sides);
                format!("({left} {operator} {right})")
            }
            3 | 4 => {
                let operator = self.pick(&["<", "<=", ">", ">="]);
                format!("({} {operator} {})", self.of(Type::Number, depth), self.of(Type::Number, depth))
            }
            5 | 6 => {
                // Objects are compared in no fixed order by the reference, so that it is chance what it finds first.
                let ty = self.pick(&[Type::Bool, Type::Number, Type::String, Type::List]);
                let operator = self.pick(&["==", "!="]);
                let other = if self.below(4) == 0 { "null".to_owned() } else { self.of(ty, depth) };
                format!("({} {operator} {other})", self.of(ty, depth))
            }
            7 => {
                let ty = self.pick(&TYPES);
                format!("can({}{})", self.of(ty, depth), self.pick(&["", ".x", "[0]", "[\"k\"]"]))
            }
            _ => {
                let ty = self.pick(&TYPES);
                // Only of names: the reference forgets some marks of what is unknown.
                format!("issensitive({})", self.leaf(ty))
            }
        }
    }

    fn number(&mut self, depth: u32) -> String {
        match self.below(8) {
            0 => format!("-{}", self.of(Type::Number, depth)),
            1..=3 => {
                let operator = self.pick(&["+", "-", "*", "+", "-"]);
                format!("({} {operator} {})", self.of(Type::Number, depth), self.of(Type::Number, depth))
            }
            4 => format!("({} / {})", self.of(Type::Number, depth), self.pick(&["2", "-4", "0.5", "8", "1"])),
            5 => format!("({} % {})", self.of(Type::Number, depth), self.pick(&["2", "3", "-3", "0.5", "7"])),
            6 => format!("length({})", self.of(Type::List, depth)),
            _ => format!("{}({})", self.pick(&["abs", "floor", "ceil"]), self.of(Type::Number, depth)),
        }
    }

    fn string(&mut self, depth: u32) -> String {
        match self.below(9) {
            0 | 1 => format!("\"{}\"", self.template(depth)),
            2 => format!("<<EOT\n{}\nEOT\n", self.heredoc(depth)),
            3 => format!("<<-EOT\n  {}\n    x\n  EOT\n", self.heredoc(depth)),
            4 => format!(
                "{}({})",
                self.pick(&["upper", "lower", "trimspace", "chomp"]),
                self.of(Type::String, depth)
            ),
            5 => format!("join(\"-\", {})", self.of(Type::List, depth)),
            6 if self.calm => self.leaf(Type::String),
            6 => format!("element({}, {})", self.of(Type::List, depth), self.pick(&["0", "1", "5"])),
            7 => format!("{}[{}]", self.pick(&["list", "tuple", "secrets", "part_list"]), self.index()),
            _ => format!("{}[{}]", self.pick(&["u_map", "{ a = 1, b = s, k = \"q\", abc = 2 }"]), self.key()),
        }
    }

    fn index(&mut self) -> &'static str {
        if self.calm {
            return self.pick(&["0", "1", "\"1\"", "u_number", "n - 6"]);
        }
        self.pick(&["0", "1", "\"1\"", "u_number", "pin", "n - 6", "5", "u_any"])
    }

    fn key(&mut self) -> &'static str {
        self.pick(&["\"a\"", "\"k\"", "u_string", "\"${\"b\"}\"", "s", "u_any"])
    }

    /// The inside of a quoted template.
    fn template(&mut self, depth: u32) -> String {
        let parts = 1 + self.below(3);
        (0..parts).map(|_| self.part(depth)).collect()
    }

    fn part(&mut self, depth: u32) -> String {
        let (open, close) = (self.pick(&["", "", "~"]), self.pick(&["", "", "~"]));
        match self.below(7) {
            0 => " a ".to_owned(),
            1 => "$${x} ".to_owned(),
            2 | 3 => {
                let ty = self.pick(&[Type::String, Type::Number, Type::Bool]);
                format!("${{{open} {} {close}}}", self.of(ty, depth))
            }
            4 => format!(
                "%{{{open} if {} {close}}} y {}%{{ else }}n %{{ endif {close}}}",
                self.of(Type::Bool, depth),
                self.part(depth.saturating_sub(1))
            ),
            5 => {
                format!("%{{ if {} }} y %{{{open} endif {close}}}", self.of(Type::Bool, depth))
            }
            _ => {
                let list = self.of(Type::List, depth.saturating_sub(1));
                let body = self.within("e", Type::String, |inner| inner.part(depth.saturating_sub(1)));
                format!("%{{{open} for e in {list} {close}}} {body};%{{ endfor }}")
            }
        }
    }

    /// The inside of a heredoc: no heredoc in it, which would have to end within it.
    fn heredoc(&mut self, depth: u32) -> String {
        let parts = 1 + self.below(3);
        let lines: Vec<_> = (0..parts).map(|_| self.part(depth.min(1)).replace("<<", "")).collect();
        let separator = self.pick(&["\n", "\n  ", " "]);
        lines.join(separator)
    }

    fn within<T>(&mut self, name: &'static str, ty: Type, make: impl FnOnce(&mut Self) -> T) -> T {
        self.bound.push((name, ty));
        let made = make(self);
        self.bound.pop();
        made
    }

    fn list(&mut self, depth: u32) -> String {
        match self.below(12) {
            0 | 1 => {
                let ty = self.pick(&TYPES);
                let items: Vec<_> = (0..self.below(4)).map(|_| self.of(ty, depth)).collect();
                format!("[{}]", items.join(", "))
            }
            2..=4 => {
                let list = self.of(Type::List, depth);
                let ty = self.pick(&[Type::String, Type::Number]);
                let value = self.within("v", Type::String, |inner| inner.of(ty, depth));
                let condition = self.condition(depth);
                format!("[for v in {list} : {value}{condition}]")
            }
            5 => {
                let map = self.of(Type::Map, depth);
                let value = self.within("k", Type::String, |inner| inner.of(Type::String, depth));
                format!("[for k, v in {map} : {value}]")
            }
            6 => format!("{}[*]", self.of(Type::List, depth)),
            7 if self.calm => "people[*].name".to_owned(),
            7 => {
                let people = self.pick(&[
                    "people",
                    "u_people",
                    "[object]",
                    "[part, object]",
                    "u_object",
                    "nil_object",
                    "v_object",
                ]);
                format!("{people}{}", self.pick(&["[*].name", ".*.age", "[*].a", "[*].b", "[*]", ".*.b"]))
            }
            8 => {
                let function = self.pick(&["tolist", "reverse", "distinct", "flatten"]);
                format!("{function}({})", self.of(Type::List, depth))
            }
            9 => {
                let part = self.of(Type::List, depth);
                format!(
                    "concat({}, tolist({part}))",
                    self.pick(&["list", "u_list", "[1, s]", "tuple", "numbers", "[]"])
                )
            }
            10 => format!("{}({})", self.pick(&["keys", "values"]), self.of(Type::Map, depth)),
            _ => format!("[{}]", self.of(Type::List, depth)),
        }
    }

    fn condition(&mut self, depth: u32) -> String {
        if self.below(3) > 0 {
            return String::new();
        }
        let condition = self.within("v", Type::String, |inner| inner.of(Type::Bool, depth.saturating_sub(1)));
        format!(" if {condition}")
    }

    fn map(&mut self, depth: u32) -> String {
        match self.below(7) {
            0 | 1 => {
                let ty = self.pick(&TYPES);
                let value = self.of(ty, depth);
                let key =
                    self.pick(&["a", "\"b\"", "(s)", "(secret)", "\"${s}x\"", "(u_string)", "1", "null"]);
                format!("{{ {key} = {value}, z = {} }}", self.of(ty, depth))
            }
            2 => {
                let list = self.of(Type::List, depth);
                let value = self.within("v", Type::String, |inner| inner.of(Type::String, depth));
                let condition = self.condition(depth);
                format!("{{ for i, v in {list} : i => {value}{condition} }}")
            }
            3 => {
                let list = self.of(Type::List, depth);
                let key = self.pick(&["v", "\"${v}\"", "s", "\"x\"", "v == \"a\" ? \"p\" : \"q\"", "secret"]);
                let value = self.within("v", Type::String, |inner| inner.of(Type::String, depth));
                format!("{{ for v in {list} : {key} => {value}... }}")
            }
            4 => {
                let map = self.of(Type::Map, depth);
                let value = self.within("v", Type::String, |inner| inner.of(Type::String, depth));
                let condition = self.condition(depth);
                format!("{{ for k, v in {map} : k => {value}{condition} }}")
            }
            5 => format!("tomap({})", self.of(Type::Map, depth)),
            _ => {
                let map = self.of(Type::Map, depth);
                format!(
                    "merge({}, {map})",
                    self.pick(&["map", "object", "{ a = s }", "u_map", "u_object", "part", "secret_map"])
                )
            }
        }
    }
}
