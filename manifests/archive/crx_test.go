package archive

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"io/fs"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/manifests/archive/archivetest"
)

func newECDSA(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newRSA(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func der(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	out, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func packCRX2(t testing.TB, key *rsa.PrivateKey, zipped []byte) []byte {
	t.Helper()
	sum := sha1.Sum(zipped)
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA1, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	out := binary.LittleEndian.AppendUint32([]byte("Cr24"), 2)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(der(t, key))))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(signature)))
	return append(append(append(out, der(t, key)...), signature...), zipped...)
}

// crx3 puts a header that the test made before a ZIP.
func crx3(header, zipped []byte) []byte {
	out := binary.LittleEndian.AppendUint32([]byte("Cr24"), 3)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(header)))
	return append(append(out, header...), zipped...)
}

func bytesField(to []byte, number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, number, protowire.BytesType), value)
}

// signCRX3 makes a CRX3 whose header claims id, with a proof by each key.
func signCRX3(t testing.TB, zipped, id []byte, keys ...*ecdsa.PrivateKey) []byte {
	t.Helper()
	h := &header{signed: bytesField(nil, fieldID, id)}
	digest, err := h.digest(strings.NewReader(string(zipped)))
	if err != nil {
		t.Fatal(err)
	}
	var head []byte
	for _, key := range keys {
		signature, err := ecdsa.SignASN1(rand.Reader, key, digest)
		if err != nil {
			t.Fatal(err)
		}
		p := bytesField(bytesField(nil, fieldPublicKey, der(t, key)), fieldSignature, signature)
		head = bytesField(head, fieldECDSA, p)
	}
	return crx3(bytesField(head, fieldSignedData, h.signed), zipped)
}

func idOf(t testing.TB, key crypto.Signer) []byte {
	sum := sha256.Sum256(der(t, key))
	return sum[:idLen]
}

func TestCRX3Verified(t *testing.T) {
	ec, rs := newECDSA(t), newRSA(t)
	for name, test := range map[string]struct {
		key       crypto.Signer
		others    []crypto.Signer
		publisher bool
	}{
		"ECDSA":                   {key: ec},
		"RSA":                     {key: rs},
		"ECDSA and RSA publisher": {ec, []crypto.Signer{rs}, true},
		"developer twice":         {ec, []crypto.Signer{ec}, false},
	} {
		t.Run(name, func(t *testing.T) {
			data, id, err := archivetest.PackCRX3(inert, test.key, test.others...)
			if err != nil {
				t.Fatal(err)
			}
			want := Signature{
				ID: id, Verified: true, Publisher: test.publisher,
				PublicKey: base64.StdEncoding.EncodeToString(der(t, test.key)),
			}
			a := openBytes(t, data, Limits{})
			if a.Signature != want || len(a.Problems()) != 0 {
				t.Errorf("signature %+v, want %+v; problems %+v", a.Signature, want, a.Problems())
			}
		})
	}
}

// What was signed wrongly opens, is not verified, and says why.
func TestCRX3NotVerified(t *testing.T) {
	dev, other := newECDSA(t), newECDSA(t)
	zipped, err := archivetest.PackZip(inert)
	if err != nil {
		t.Fatal(err)
	}
	good := signCRX3(t, zipped, idOf(t, dev), dev)
	tampered := append([]byte(nil), good...)
	tampered[len(good)-len(zipped)+10] ^= 1 // the first entry's time, which nobody reads
	badSignature := crx3(bytesField(bytesField(nil, fieldECDSA,
		bytesField(bytesField(nil, fieldPublicKey, der(t, dev)), fieldSignature, []byte("no signature"))),
		fieldSignedData, bytesField(nil, fieldID, idOf(t, dev))), zipped)
	wrongKind := crx3(bytesField(bytesField(nil, fieldRSA,
		bytesField(bytesField(nil, fieldPublicKey, der(t, dev)), fieldSignature, []byte("x"))),
		fieldSignedData, bytesField(nil, fieldID, idOf(t, dev))), zipped)
	badKey := crx3(bytesField(bytesField(nil, fieldRSA, bytesField(nil, fieldPublicKey, []byte("no key"))),
		fieldSignedData, bytesField(nil, fieldID, idOf(t, dev))), zipped)
	longKey := crx3(bytesField(bytesField(nil, fieldRSA, bytesField(nil, fieldPublicKey, make([]byte, maxKey+1))),
		fieldSignedData, bytesField(nil, fieldID, idOf(t, dev))), zipped)
	var many []byte
	for range maxProofs + 1 {
		many = bytesField(many, fieldRSA, nil)
	}

	for name, test := range map[string]struct {
		data   []byte
		reason string
	}{
		"tampered content":       {tampered, "does not fit the content"},
		"signature is not one":   {badSignature, "does not fit the content"},
		"ECDSA key as RSA":       {wrongKind, "does not fit the content"},
		"key is not one":         {badKey, "key cannot be read"},
		"key too long":           {longKey, "key has 4097 bytes"},
		"another's ID":           {signCRX3(t, zipped, idOf(t, other), dev), "no proof is by the key"},
		"ID is no hash":          {signCRX3(t, zipped, []byte("short"), dev), "has 5 bytes"},
		"no proof":               {signCRX3(t, zipped, idOf(t, dev)), "no proof is by the key"},
		"empty header":           {crx3(nil, zipped), "has 0 bytes"},
		"header is no protobuf":  {crx3([]byte{0xff, 0xff}, zipped), "header is not valid"},
		"too many proofs":        {crx3(many, zipped), "more than 32 proofs"},
		"end of a ZIP in header": {crx3(bytesField(nil, 99, []byte(endMark)), zipped), "hides in its header"},
		"unknown version":        {append([]byte("Cr24\x04\x00\x00\x00"), good[8:]...), "version is 4"},
		"header of 4 GB":         {append([]byte("Cr24\x03\x00\x00\x00\xff\xff\xff\xff"), good[12:]...), "claims 4294967295 bytes"},
		"header past the end":    {append([]byte("Cr24\x03\x00\x00\x00\xff\xff\x0f\x00"), good[12:]...), "only"},
		"CRX2 key of 4 GB":       {append([]byte("Cr24\x02\x00\x00\x00\xff\xff\xff\xff"), good[12:]...), "its key has 4294967295"},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, 10*time.Second, func() {
				a := openBytes(t, test.data, Limits{})
				s := a.Signature
				if s.Verified || s.Publisher || s.WebStore || !strings.Contains(s.Reason, test.reason) {
					t.Errorf("signature %+v, want reason %q", s, test.reason)
				}
				wantProblem(t, a, "", test.reason)
				if got := readAll(a); len(got) != len(inert) {
					t.Errorf("read %d files, want %d", len(got), len(inert))
				}
			})
		})
	}
}

// Two keys sign: the developer's is the one that the ID is made from, whatever the order.
func TestCRX3TwoKeys(t *testing.T) {
	dev, other := newECDSA(t), newECDSA(t)
	zipped, err := archivetest.PackZip(inert)
	if err != nil {
		t.Fatal(err)
	}
	a := openBytes(t, signCRX3(t, zipped, idOf(t, dev), other, dev), Limits{})
	want := Signature{ID: letters(idOf(t, dev)), Verified: true, Publisher: true, PublicKey: base64.StdEncoding.EncodeToString(der(t, dev))}
	if a.Signature != want {
		t.Errorf("signature %+v, want %+v", a.Signature, want)
	}
}

func TestCRX2(t *testing.T) {
	key := newRSA(t)
	zipped, err := archivetest.PackZip(inert)
	if err != nil {
		t.Fatal(err)
	}
	data := packCRX2(t, key, zipped)
	want := Signature{ID: letters(idOf(t, key)), Verified: true, PublicKey: base64.StdEncoding.EncodeToString(der(t, key))}
	if a := openBytes(t, data, Limits{}); a.Signature != want || a.Form != FormCRX2 {
		t.Errorf("%s %+v, want %+v", a.Form, a.Signature, want)
	}
	data[len(data)-len(zipped)+10] ^= 1
	a := openBytes(t, data, Limits{})
	if a.Signature.Verified {
		t.Error("a tampered CRX2 is verified")
	}
	wantProblem(t, a, "", "does not fit the content")
}

// Chromium unpacks the whole file, so offsets may count from its start as well as from the ZIP's. The second kind could
// take bytes from the header, which nobody signed.
func TestCRXOffsetsFromFileStart(t *testing.T) {
	zipped := packZip(t, text("manifest.json", "{}"))
	data := crx3(nil, zipped)
	shift := uint32(len(data) - len(zipped))
	end := len(data) - endLen
	directory := int(binary.LittleEndian.Uint32(data[end+16:]) + shift)
	binary.LittleEndian.PutUint32(data[end+16:], uint32(directory))
	binary.LittleEndian.PutUint32(data[directory+42:], shift)
	a := openBytes(t, data, Limits{})
	if _, err := fs.ReadFile(a, "manifest.json"); err != nil {
		t.Error(err)
	}
	wantProblem(t, a, "", "counts from byte 0 and not from byte 12")
}

// However short it is cut, nothing crashes or hangs, and no part is taken for the whole.
func TestCRXTruncated(t *testing.T) {
	zipped, err := archivetest.PackZip(inert)
	if err != nil {
		t.Fatal(err)
	}
	dev := newECDSA(t)
	within(t, 30*time.Second, func() {
		for _, data := range [][]byte{signCRX3(t, zipped, idOf(t, dev), dev), packCRX2(t, newRSA(t), zipped)} {
			for n := range len(data) {
				if a, err := OpenReader(strings.NewReader(string(data[:n])), int64(n), Limits{}); err == nil {
					t.Errorf("the first %d of %d bytes open: %+v", n, len(data), a.Signature)
				}
			}
		}
	})
}

// testdata/chromium.crx was packed by Chromium 156.0.8078.79 (--pack-extension) and crx2.crx by OpenSSL with the same key,
// whose ID OpenSSL computed as well.
func TestCRXOfOthers(t *testing.T) {
	const id = "hhdcbhdnfmhcnlhjhdemfdeflhgggkba"
	for name, form := range map[string]Form{"chromium.crx": FormCRX3, "crx2.crx": FormCRX2} {
		a := openBytes(t, seed(t, name), Limits{})
		if s := a.Signature; a.Form != form || s.ID != id || !s.Verified || s.Publisher || s.WebStore {
			t.Errorf("%s: %s, %+v", name, a.Form, s)
		}
		key, err := base64.StdEncoding.DecodeString(a.Signature.PublicKey)
		if got := manifests.IDFromPublicKey(key); err != nil || got != id {
			t.Errorf("%s: the key's ID is %s, %v", name, got, err)
		}
		if got := readAll(a); len(got) != 2 || len(a.Problems()) != 0 {
			t.Errorf("%s: read %q, problems %+v", name, got, a.Problems())
		}
	}
	if len(webStoreKey) != sha256.Size {
		t.Errorf("the Web Store's key has %d bytes", len(webStoreKey))
	}
}
