//! What functions refuse, each with a call that shows it: part of the reference, and run by a test.
//!
//! Left out is what holds for all: too few or too many arguments, arguments of another type, and null where the
//! signature does not admit it.

/// A call that a function refuses.
pub(crate) struct Refusal {
    pub(crate) function: &'static str,
    /// When it refuses.
    pub(crate) when: &'static str,
    /// A call that it refuses.
    pub(crate) call: &'static str,
}

const fn refusal(function: &'static str, when: &'static str, call: &'static str) -> Refusal {
    Refusal { function, when, call }
}

#[rustfmt::skip]
pub(crate) const REFUSALS: &[Refusal] = &[
    refusal("base64decode", "the text is no Base64, or encodes no text in UTF-8", r#"base64decode("_")"#),
    refusal("base64gunzip", "the text is no Base64 of something compressed, or unpacks to more than 16 MiB", r#"base64gunzip("aGk=")"#),
    refusal("chunklist", "the size is negative", "chunklist([1], -1)"),
    refusal("cidrcontains", "one is IPv4 and the other IPv6, or either is no network", r#"cidrcontains("10.0.0.0/8", "fd00::1")"#),
    refusal("cidrhost", "the network has no address of this number", r#"cidrhost("10.0.0.0/30", 4)"#),
    refusal("cidrnetmask", "the network is IPv6", r#"cidrnetmask("fd00::/8")"#),
    refusal("cidrsubnet", "the prefix would be longer than an address, or has too few bits for the number", r#"cidrsubnet("10.0.0.0/16", 1, 2)"#),
    refusal("cidrsubnets", "no room is left in the network", r#"cidrsubnets("10.0.0.0/31", 1, 1, 1)"#),
    refusal("coalesce", "all values are null or empty, or have no type in common", r#"coalesce(null, "")"#),
    refusal("coalescelist", "all lists are null or empty", "coalescelist([], [])"),
    refusal("concat", "an argument is a set", r#"concat(toset(["a"]))"#),
    refusal("contains", "the first argument is no list, set or tuple", r#"contains({ a = 1 }, 1)"#),
    refusal("csvdecode", "the first line is missing or names a column twice, a line has another number of fields, or quotes are misplaced", r#"csvdecode("a,b\n1\n")"#),
    refusal("element", "the list is empty or a set", "element([], 0)"),
    refusal("file", "there is no such file, it lies outside the repository, is larger than 4 MiB or no text", r#"file("none.txt")"#),
    refusal("filebase64", "there is no such file, it lies outside the repository or is larger than 4 MiB", r#"filebase64("../secret")"#),
    refusal("filebase64sha256", "the file cannot be read", r#"filebase64sha256("none.txt")"#),
    refusal("filebase64sha512", "the file cannot be read", r#"filebase64sha512("none.txt")"#),
    refusal("fileexists", "it is no regular file, or lies outside the repository", r#"fileexists(".")"#),
    refusal("filemd5", "the file cannot be read", r#"filemd5("none.txt")"#),
    refusal("fileset", "there is no such directory, or the pattern is not well formed", r#"fileset("none", "*")"#),
    refusal("filesha1", "the file cannot be read", r#"filesha1("none.txt")"#),
    refusal("filesha256", "the file cannot be read", r#"filesha256("none.txt")"#),
    refusal("filesha512", "the file cannot be read", r#"filesha512("none.txt")"#),
    refusal("flatten", "the argument is no list, set or tuple", r#"flatten("a")"#),
    refusal("format", "a verb does not exist, lacks its value or cannot show it, or a value is not used", r#"format("%d", "a")"#),
    refusal("formatdate", "the format has letters that mean nothing, or the time is not that of RFC 3339", r#"formatdate("Q", "2026-03-01T00:00:00Z")"#),
    refusal("formatlist", "lists have different lengths, or format refuses", r#"formatlist("%s%s", ["a"], ["b", "c"])"#),
    refusal("indent", "the number of spaces is negative", r#"indent(-1, "a")"#),
    refusal("index", "no item is equal to the value", r#"index(["a"], "b")"#),
    refusal("join", "an item is null", r#"join(",", ["a", null])"#),
    refusal("jsondecode", "the text is no JSON, or has a key twice", r#"jsondecode("{")"#),
    refusal("k8s::image_parse", "the name is no image's: capital letters, an empty part, a bad tag or digest", r#"k8s::image_parse("Nginx")"#),
    refusal("k8s::label_selector", "an expression lacks its key, an operator does not exist or has no values", r#"k8s::label_selector({ matchExpressions = [{ key = "a", operator = "Like" }] })"#),
    refusal("k8s::object_ref", "the object has no apiVersion, kind or metadata.name", r#"k8s::object_ref({ kind = "Pod" })"#),
    refusal("k8s::quantity_add", "an argument is no quantity, or the sum is beyond 10²⁸", r#"k8s::quantity_add("1 Gi")"#),
    refusal("k8s::quantity_compare", "an argument is no quantity", r#"k8s::quantity_compare("1", "x")"#),
    refusal("k8s::quantity_to_number", "the argument is no quantity", r#"k8s::quantity_to_number("1gb")"#),
    refusal("k8s::tera", "there is no such template, a variable is missing, or it renders to more than 4 MiB or for more than 10 seconds", r#"k8s::tera("templates/none.tera", {})"#),
    refusal("keys", "the argument is no map or object", r#"keys(["a"])"#),
    refusal("length", "the argument is null, a number or a boolean", "length(5)"),
    refusal("log", "a number is not above zero, or the base is 1", "log(0, 10)"),
    refusal("lookup", "there is no such key and no default", r#"lookup({ a = 1 }, "b")"#),
    refusal("matchkeys", "there are not as many keys as values", r#"matchkeys(["a"], [], [])"#),
    refusal("merge", "an argument is no map or object", r#"merge({}, ["a"])"#),
    refusal("one", "there is more than one item", r#"one(["a", "b"])"#),
    refusal("parseint", "the text has other digits than the base, or the base is not from 2 to 62", r#"parseint("12", 2)"#),
    refusal("pow", "the result has too many digits, or is none", "pow(10, 100000)"),
    refusal("range", "the step is 0 or leads away from the limit, or there are too many numbers", "range(0, 5, -1)"),
    refusal("regex", "the pattern does not match, is not well formed, or mixes named and unnamed groups", r#"regex("a", "b")"#),
    refusal("regexall", "the pattern is not well formed, or mixes named and unnamed groups", r#"regexall("(", "b")"#),
    refusal("replace", "the pattern between slashes is not well formed", r#"replace("a", "/(/", "")"#),
    refusal("reverse", "the argument is no list, set or tuple", r#"reverse("abc")"#),
    refusal("setproduct", "there are fewer than two collections, or one has items of no common type", r#"setproduct(["a"])"#),
    refusal("slice", "start and end do not lie within the list, or it is a set", "slice([1, 2], 1, 3)"),
    refusal("sort", "an item is null", r#"sort(["a", null])"#),
    refusal("substr", "offset or length is not whole", r#"substr("abc", 0.5, 1)"#),
    refusal("sum", "there is no number, or an item is null", "sum([])"),
    refusal("templatefile", "the file cannot be read, is no template or refers to a variable that it is not given", r#"templatefile("greet.tftpl", {})"#),
    refusal("templatestring", "the text is no template or refers to a variable that it is not given", r#"templatestring("$${x}", {})"#),
    refusal("textdecodebase64", "there is no such encoding, or the bytes are no text in it", r#"textdecodebase64("SABpAA==", "none")"#),
    refusal("textencodebase64", "there is no such encoding, or it lacks a character of the text", r#"textencodebase64("€", "ISO-8859-1")"#),
    refusal("timeadd", "the time is not that of RFC 3339, or the duration has no unit", r#"timeadd("2026-03-01T00:00:00Z", "1 hour")"#),
    refusal("timecmp", "a time is not that of RFC 3339", r#"timecmp("now", "2026-03-01T00:00:00Z")"#),
    refusal("tobool", "the value is text other than true and false", r#"tobool("yes")"#),
    refusal("tolist", "the items have no type in common", "tolist([1, true])"),
    refusal("tomap", "the values have no type in common", "tomap({ a = 1, b = true })"),
    refusal("tonumber", "the text is no decimal number", r#"tonumber("0x10")"#),
    refusal("toset", "the items have no type in common", "toset([1, true])"),
    refusal("tostring", "the value is a collection", "tostring([])"),
    refusal("transpose", "an item is null", r#"transpose({ a = [null] })"#),
    refusal("urldecode", "two hexadecimal digits do not follow a percent sign", r#"urldecode("%2")"#),
    refusal("uuidv5", "the namespace is no UUID and none of the four names", r#"uuidv5("web", "a")"#),
    refusal("values", "the argument is no map or object", r#"values(["a"])"#),
    refusal("yamldecode", "the text is no YAML document, has a key twice or expands without bounds", r#"yamldecode("a: [")"#),
    refusal("zipmap", "there are not as many values as keys, or a key is null", r#"zipmap(["a"], [])"#),
];

/// Returns what a function refuses beyond what all do.
pub(crate) fn of(function: &str) -> Option<&'static Refusal> {
    REFUSALS.iter().find(|refusal| refusal.function == function)
}
