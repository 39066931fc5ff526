package manifests

import (
	"encoding/base64"
	"strings"
	"testing"
)

// testKey was made with "openssl genrsa 2048", testKeyID with
//
//	openssl rsa -pubout -outform DER | openssl dgst -sha256 | cut -c1-32 | tr 0-9a-f a-p
//
// and confirmed by Chromium 156.0.8078.79, which gave an extension with this key the same ID.
const (
	testKey = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAx3Qv8a4pvw4u6s3X1sUY" +
		"3r2Y8MWTr23Y7FCB0eUW36Y428l2OsBvhJLX4vevWLLTft21D273JF81gik/6IOa" +
		"f5NfSVFiJmLuyYndw2Na3bRIjdkqGskvr3Olc+3OAZc0RoCuoyXZ4skcxmV++D2P" +
		"cOLNJ8yXe2f9mQ17KYPsUGbMQm0DyX5iM2izVvn6ldfD7YvjVzp/PUoPM8greDVU" +
		"DkutmQ4mMDA2AeKsu9g+6ocbyh7c2XsSGNgP/AXPPMLgCT5m98Mm04+RSlqhuR36" +
		"lCtZ12mxXN7MXcwokB6aFAMDLBoU754DFcaECFU64k3+t7UFhrn/PQCBT062Fl9g" +
		"pwIDAQAB"
	testKeyID = "anikejgdifhkdcpbnineakbjiibnghba"
)

func TestIDFromKey(t *testing.T) {
	pem := "-----BEGIN PUBLIC KEY-----\n" + testKey[:64] + "\r\n" + testKey[64:] + "\n-----END PUBLIC KEY-----\n"
	for name, key := range map[string]string{
		"base64":        testKey,
		"white space":   " " + testKey[:10] + "\n\t" + testKey[10:] + " ",
		"PEM":           pem,
		"PEM in a line": strings.NewReplacer("\n", "", "\r", "").Replace(pem),
	} {
		if id, err := IDFromKey(key); err != nil || id != testKeyID {
			t.Errorf("%s: %q, %v", name, id, err)
		}
	}
	for name, key := range map[string]string{
		"empty":             "",
		"only white space":  " \n",
		"not base64":        "not base64!",
		"URL alphabet":      strings.NewReplacer("+", "-", "/", "_").Replace(testKey),
		"no padding":        "YQ",
		"PEM without end":   "-----BEGIN PUBLIC KEY-----" + testKey,
		"PEM without body":  "-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----",
		"PEM without words": "-----BEGIN",
	} {
		if id, err := IDFromKey(key); err == nil {
			t.Errorf("%s: %q, want an error", name, id)
		}
	}
	der, err := base64.StdEncoding.DecodeString(testKey)
	if err != nil {
		t.Fatal(err)
	}
	if id := IDFromPublicKey(der); id != testKeyID {
		t.Errorf("IDFromPublicKey: %q", id)
	}
}

// The IDs were computed with Python: hashlib.sha256(path.encode("utf-8" or "utf-16le")).hexdigest()[:32].
func TestIDFromPath(t *testing.T) {
	tests := []struct{ os, path, want string }{
		{"linux", "/home/ada/ext", "jboncjpeeneedhemalaijhbddlhdfdlc"},
		{"linux", "/home/ada/ext/", "jboncjpeeneedhemalaijhbddlhdfdlc"},
		{"darwin", "/home/ada/ext", "jboncjpeeneedhemalaijhbddlhdfdlc"},
		{"linux", "/home/ada/é", "fdnnpdhiagbmknjfhlibmcllkkcpmdgm"},
		{"linux", "/", "ikfonklcicgdceedcbjoafboeknocnbn"},
		{"windows", `C:\Users\Ada\ext`, "iklhegjlpamgafpadmdpjakfglkiaiao"},
		{"windows", `c:\Users\Ada\ext\`, "iklhegjlpamgafpadmdpjakfglkiaiao"},
		{"windows", `C:\Users\Ürsel 😀\ext`, "dbhbnciipecbkobpkkoifoajbjcphbmj"},
		{"windows", `c:\`, "kbhdapalmigcpcmplchdoijbjficopbo"},
		{"windows", `\\srv\share\e`, "kmincmcbdcoiidcencgpompgomfbgegd"},
	}
	for _, tt := range tests {
		if got := IDFromPath(tt.os, tt.path); got != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.os, tt.path, got, tt.want)
		}
	}
}

func TestValidID(t *testing.T) {
	for id, want := range map[string]bool{
		testKeyID:                           true,
		strings.Repeat("a", 32):             true,
		strings.Repeat("p", 32):             true,
		strings.Repeat("a", 31):             false,
		strings.Repeat("a", 33):             false,
		strings.Repeat("q", 32):             false,
		strings.Repeat("A", 32):             false,
		"a" + strings.Repeat("é", 15) + "a": false,
		"":                                  false,
		"uBlock0@example.test":              false,
	} {
		if ValidID(id) != want {
			t.Errorf("%q: %v", id, !want)
		}
	}
}
