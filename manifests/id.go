package manifests

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
)

// idLength is the length of an extension ID: 128 bits, four per letter.
const idLength = 32

// IDFromKey returns the ID of the public key in a manifest: base64, with or without the PEM header and footer lines
// and white space.
func IDFromKey(key string) (string, error) {
	// PEM as Chromium reads it: between "-----BEGIN … KEY-----" and the last "-----END".
	if rest, ok := strings.CutPrefix(key, "-----BEGIN"); ok {
		_, body, found := strings.Cut(rest, "KEY-----")
		end := strings.LastIndex(body, "-----END")
		if !found || end < 0 {
			return "", errors.New("decode key: its PEM header or footer is incomplete")
		}
		key = body[:end]
	}
	key = strings.Join(strings.FieldsFunc(key, isSpace), "")
	der, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return "", fmt.Errorf("decode key: %w", err)
	}
	if len(der) == 0 {
		return "", errors.New("decode key: it is empty")
	}
	return IDFromPublicKey(der), nil
}

// IDFromPublicKey returns the ID of a public key given as DER SubjectPublicKeyInfo.
func IDFromPublicKey(der []byte) string { return hashID(der) }

// IDFromPath returns the ID that Chromium gives an unpacked extension without key in the absolute folder path, whose
// links are resolved. os is "windows", "darwin" or "linux"; the system that this program runs on does not matter.
func IDFromPath(os, path string) string {
	if os != "windows" {
		if trimmed := strings.TrimRight(path, "/"); trimmed != "" {
			path = trimmed
		}
		return hashID([]byte(path))
	}
	if len(path) >= 2 && path[1] == ':' && 'a' <= path[0] && path[0] <= 'z' {
		path = string(path[0]-0x20) + path[1:]
	}
	if trimmed := strings.TrimRight(path, `\/`); trimmed != "" && !strings.HasSuffix(trimmed, ":") {
		path = trimmed
	}
	var units []byte
	for _, u := range utf16.Encode([]rune(path)) {
		units = binary.LittleEndian.AppendUint16(units, u)
	}
	return hashID(units)
}

// hashID writes the first 128 bits of the SHA-256 as letters a to p, so that no ID looks like a number.
func hashID(data []byte) string {
	sum := sha256.Sum256(data)
	id := make([]byte, 0, idLength)
	for _, b := range sum[:idLength/2] {
		id = append(id, 'a'+b>>4, 'a'+b&0x0F)
	}
	return string(id)
}

// ValidID reports whether id is 32 letters a to p.
func ValidID(id string) bool {
	return len(id) == idLength && strings.Trim(id, "abcdefghijklmnop") == ""
}
