package fold

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"
)

var base64Text = regexp.MustCompile(`^[A-Za-z0-9+/_-]+={0,2}$`)

// hidesBase64 says whether a long text in base64 may hide code or data. Pictures, fonts, sounds, WebAssembly, documents
// and source maps stand in honest bundles; bytecode of contracts, in hexadecimal digits, looks like base64 and is none.
func hidesBase64(text []byte) bool {
	if len(text) < MinBase64 || !base64Text.Match(text) || isHexText(text) {
		return false
	}
	// The beginning is enough. 64 characters are 48 bytes.
	head := strings.NewReplacer("-", "+", "_", "/").Replace(string(text[:64]))
	data, err := base64.StdEncoding.DecodeString(head)
	if err != nil || len(bytes.TrimRight(text, "="))%4 == 1 {
		return false
	}
	return !knownFormat(data)
}

// isHexText says whether a text holds only hexadecimal digits, of one case.
func isHexText(text []byte) bool {
	text = bytes.TrimPrefix(text, []byte("0x"))
	return len(bytes.Trim(text, "0123456789abcdef")) == 0 || len(bytes.Trim(text, "0123456789ABCDEF")) == 0
}

// knownFormat tells files that bundlers put into scripts by their first bytes.
func knownFormat(data []byte) bool {
	for _, magic := range []string{
		"\x89PNG", "\xff\xd8\xff", "GIF8", "RIFF", "\x00\x00\x01\x00", "\x00\x00\x02\x00", "BM", // pictures, cursors, sounds
		"wOFF", "wOF2", "OTTO", "ttcf", "\x00\x01\x00\x00", "true\x00", // fonts
		"ID3", "OggS", "fLaC", "\xff\xfb", "\x1a\x45\xdf\xa3", // sounds and films
		"\x00asm", "%PDF", "glTF", "<svg", "<?xml", "\xef\xbb\xbf<",
	} {
		if bytes.HasPrefix(data, []byte(magic)) {
			return true
		}
	}
	if len(data) > 12 && string(data[4:8]) == "ftyp" { // films and newer pictures
		return true
	}
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	return bytes.HasPrefix(trimmed, []byte("{")) && bytes.Contains(data, []byte(`"version":`)) // a source map
}
