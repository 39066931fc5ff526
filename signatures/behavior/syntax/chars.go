package syntax

import "bytes"

// wordBytes are the bytes of an identifier. Everything outside of ASCII counts as one.
var wordBytes = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x80 || IsWordByte(byte(c))
	}
	return t
}()

// InWord says whether a byte is one of an identifier, or outside of ASCII.
func InWord(c byte) bool { return wordBytes[c] }

// IsWordByte says whether a byte is one of an identifier in ASCII.
func IsWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '$'
}

// IsQuote says whether a sign begins and ends texts.
func IsQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

// HexDigit is what a digit of base 16 stands for, -1 for other signs.
func HexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// ContactScheme reports whether text ends with a scheme that contacts a host.
func ContactScheme(before []byte) bool {
	before = before[max(0, len(before)-6):]
	for _, scheme := range [...]string{"https", "http", "wss", "ws"} {
		n := len(before) - len(scheme)
		if n >= 0 && bytes.EqualFold(before[n:], []byte(scheme)) {
			return n == 0 || !IsWordByte(before[n-1])
		}
	}
	return false
}
