// Package manifests reads what a browser extension says about itself: its manifest, match patterns, messages and ID.
//
// It takes bytes and gives structs. It opens no file, asks no network and writes no log.
//
// # Reading a manifest
//
// [Parse] accepts exactly the JSON dialect that Chromium's own reader accepts ([Standardize] has the list) and reads
// Manifest V1, V2, V3 and WebExtensions into one [Manifest]. It fails only when the text is not JSON or not an
// object; then the error is a [*SyntaxError] with the place. Anything else that is odd (a number where a list
// belongs, a match pattern that no browser understands) becomes a [Problem] of the manifest, and all other fields are
// still read. The author of the text may be a thief: sizes, list lengths and nesting are bounded by constants.
//
// [Localize] then replaces __MSG_name__ by the extension's own messages and returns the names in all locales.
//
// # Reading other JSON that browsers write
//
// gjson answers for the first of two equal keys while browsers use the last, and it never reports bad JSON. So every
// text goes through [Standardize] first, and objects are read with [Object].
//
// # Match patterns and IDs
//
// [ParsePattern] gives a [Pattern], which answers whether it covers a URL or a domain and whether it contains or
// overlaps another pattern. Asking allocates nothing for plain hosts and uses no regular expression.
//
// [IDFromKey], [IDFromPublicKey] and [IDFromPath] compute extension IDs as Chromium does. An ID alone proves nothing:
// an unpacked extension may carry the key, and so the ID, of any other.
package manifests
