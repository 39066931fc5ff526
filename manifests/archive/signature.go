package archive

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1" // #nosec G505 -- CRX2 is signed over SHA-1; nothing is made with it here
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/extwatch/extwatch/manifests"
)

// idLen is how many bytes of the hash of its public key an extension's ID is made from.
const idLen = 16

// Signature is what the signature of a CRX says, checked as Chromium's components/crx_file/crx_verifier.cc does: every
// proof must hold over header and content, and one of them must be by the key that the ID is made from. A package whose
// signature does not hold opens all the same, so that it can be judged.
type Signature struct {
	ID       string // the ID that the package says it is, 32 letters; believe it only when Verified
	Verified bool   // every proof holds and one of them is the developer's
	Reason   string // why it is not verified
	// PublicKey is the developer's key, base64 of DER SubjectPublicKeyInfo, as in the manifest's "key". It is "" when no
	// proof is by the key that the ID is made from.
	PublicKey string
	// Publisher is set when, in a verified package, another key than the developer's signed too, as stores do. Anybody
	// can add a key: only WebStore says whose it was.
	Publisher bool
	// WebStore is set when, in a verified package, the Chrome Web Store's publisher key signed too.
	WebStore bool
}

// webStoreKey is the SHA-256 of the Chrome Web Store's publisher key: kPublisherKeyHash in Chromium's crx_verifier.cc.
const webStoreKey = "\x61\xf7\xf2\xa6\xbf\xcf\x74\xcd\x0b\xc1\xfe\x24\x97\xcc\x9b\x04" +
	"\x25\x4c\x65\x8f\x79\xf2\x14\x53\x92\x86\x7e\xa8\x36\x63\x67\xcf"

// verify checks all proofs against the ZIP, which is read once and never held in memory.
func (h *header) verify(content io.Reader) Signature {
	if len(h.id) != idLen {
		return Signature{Reason: fmt.Sprintf("the ID in its header has %d bytes, not %d", len(h.id), idLen)}
	}
	s := Signature{ID: letters(h.id)}
	for _, p := range h.proofs {
		if manifests.IDFromPublicKey(p.key) == s.ID {
			s.PublicKey = base64.StdEncoding.EncodeToString(p.key)
		} else {
			s.Publisher = true
		}
		sum := sha256.Sum256(p.key)
		s.WebStore = s.WebStore || string(sum[:]) == webStoreKey
	}
	digest, err := h.digest(content)
	for i := 0; err == nil && i < len(h.proofs); i++ {
		if err = h.proofs[i].verify(digest); err != nil {
			err = fmt.Errorf("proof %d of %d: %w", i+1, len(h.proofs), err)
		}
	}
	if err == nil && s.PublicKey == "" {
		err = errors.New("no proof is by the key that its ID is made from")
	}
	if err != nil {
		s.Reason, s.Publisher, s.WebStore = err.Error(), false, false
		return s
	}
	s.Verified = true
	return s
}

// digest hashes what the proofs of a CRX3 sign.
func (h *header) digest(content io.Reader) ([]byte, error) {
	prefix := []byte("CRX3 SignedData\x00")
	prefix = binary.LittleEndian.AppendUint32(prefix, uint32(len(h.signed)))
	return digest(sha256.New(), io.MultiReader(bytes.NewReader(prefix), bytes.NewReader(h.signed), content))
}

func (p proof) verify(digest []byte) error {
	key, err := parseKey(p.key)
	if err != nil {
		return err
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		if p.algorithm == fieldRSA && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest, p.signature) == nil {
			return nil
		}
	case *ecdsa.PublicKey:
		if p.algorithm == fieldECDSA && ecdsa.VerifyASN1(key, digest, p.signature) {
			return nil
		}
	}
	return errors.New("the signature does not fit the content")
}

// verifyCRX2 checks the older form, which browsers of today no longer install: one RSA signature over the ZIP.
func verifyCRX2(der, signature []byte, content io.Reader) Signature {
	s := Signature{ID: manifests.IDFromPublicKey(der), PublicKey: base64.StdEncoding.EncodeToString(der)}
	key, err := parseKey(der)
	if err != nil {
		s.Reason = err.Error()
		return s
	}
	rsaKey, ok := key.(*rsa.PublicKey)
	if !ok {
		s.Reason = "its key is not an RSA key"
		return s
	}
	hashed, err := digest(sha1.New(), content) // #nosec G401 -- what the format says
	if err == nil {
		err = rsa.VerifyPKCS1v15(rsaKey, crypto.SHA1, hashed, signature)
	}
	if err != nil {
		s.Reason = "the signature does not fit the content: " + err.Error()
		return s
	}
	s.Verified = true
	return s
}

func parseKey(der []byte) (any, error) {
	if len(der) > maxKey {
		return nil, fmt.Errorf("its key has %d bytes, and %d are allowed", len(der), maxKey)
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("its key cannot be read: %w", err)
	}
	return key, nil
}

func digest(h hash.Hash, content io.Reader) ([]byte, error) {
	if _, err := io.Copy(h, content); err != nil {
		return nil, fmt.Errorf("read it to check its signature: %w", err)
	}
	return h.Sum(nil), nil
}

// letters writes each half byte as a letter from a to p, as Chromium writes IDs.
func letters(b []byte) string {
	out := make([]byte, 0, 2*len(b))
	for _, v := range b {
		out = append(out, 'a'+v>>4, 'a'+v&15)
	}
	return string(out)
}
