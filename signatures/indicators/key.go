package indicators

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/extwatch/extwatch/manifests"
)

// A key is what rows are sorted by; of most kinds only the first 16 bytes count.
type key [32]byte

// keyOf returns the key of a value. Text is the value where its key is a hash, so that it must be compared.
func keyOf(kind Kind, value string) (k key, text string, ok bool) {
	switch {
	case value == "" || len(value) > maxText:
		return k, "", false
	case kind == SHA256:
		if len(value) != 64 {
			return k, "", false
		}
		_, err := hex.Decode(k[:], []byte(value))
		return k, "", err == nil
	case kind == ID && manifests.ValidID(value):
		for i := range 16 {
			k[i] = (value[2*i]-'a')<<4 | (value[2*i+1] - 'a')
		}
		return k, "", true
	case kind == ID:
		value = strings.ToLower(value)
	}
	sum := sha256.Sum256([]byte(value))
	copy(k[:16], sum[:16])
	return k, value, true
}

// valueOf is the value of a key that is no hash.
func valueOf(kind Kind, k []byte) string {
	if kind == SHA256 {
		return hex.EncodeToString(k)
	}
	var out [32]byte
	for i, b := range k[:16] {
		out[2*i], out[2*i+1] = 'a'+b>>4, 'a'+b&15
	}
	return string(out[:])
}

func compareKeys(a, b key) int { return bytes.Compare(a[:], b[:]) }

func joinVersions(versions []string) string {
	if versions == nil {
		return "*"
	}
	return joinWords(versions)
}

func joinWords(words []string) string { return strings.Join(words, " ") }

func splitVersions(text string) []string {
	if text == "*" {
		return nil
	}
	return strings.Fields(text)
}
