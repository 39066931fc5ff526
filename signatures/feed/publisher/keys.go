package publisher

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms"
	"github.com/sigstore/sigstore/pkg/signature/options"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// A key is kept in a file named by its role and the beginning of its TUF key ID:
//
//	targets-1a2b3c4d5e6f.age   an Ed25519 key (PKCS #8, PEM), encrypted with a passphrase in age's own format
//	targets-1a2b3c4d5e6f.uri   the address of a key in a KMS: one line, no secret
//
// An .age file can be opened without this program: age --decrypt FILE.
const (
	shortID   = 12
	sealedExt = ".age"
	uriExt    = ".uri"
	maxKey    = 64 << 10 // bytes; a sealed key has about 600
	// minPassphrase is the least length in bytes of a passphrase that is set. With the usual work for a guess, twelve
	// random letters hold against years of guessing.
	minPassphrase = 12
)

// A signer is a key that is open.
type signer struct {
	signature.Signer
	id   string
	name string // of its file, without the ending
	err  error  // of the last signature that failed: go-tuf keeps it to itself
}

// SignMessage signs, and remembers why it could not.
func (s *signer) SignMessage(message io.Reader, opts ...signature.SignOption) ([]byte, error) {
	sig, err := s.Signer.SignMessage(message, opts...)
	s.err = err
	return sig, err
}

// A newKey is a key that was made and is not used yet.
type newKey struct {
	signer *signer
	public *metadata.Key
	file   string // name of the file
	data   []byte
}

func keyName(role, id string) string { return role + "-" + short(id) }

func short(id string) string { return id[:min(shortID, len(id))] }

// makeKey makes a key for a role: a new one, or the one at the address. label is the role, and which of several keys.
func (p *Publisher) makeKey(ctx context.Context, role, label, uri string) (*newKey, error) {
	if uri != "" {
		return p.remoteKey(ctx, role, uri)
	}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	key, id, err := tufKey(public)
	if err != nil {
		return nil, err
	}
	s, err := signature.LoadED25519Signer(private)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	passphrase, err := p.cfg.Passphrase(ctx, label, true)
	if err != nil {
		return nil, err
	}
	if len(passphrase) < minPassphrase {
		return nil, refuse("take four words that nobody would put together", "the passphrase for %s is shorter than %d characters", label, minPassphrase)
	}
	data, err := seal(private, passphrase, p.settings.Scrypt)
	if err != nil {
		return nil, fmt.Errorf("encrypt the key of %s: %w", role, err)
	}
	name := keyName(role, id)
	return &newKey{signer: &signer{Signer: s, id: id, name: name}, public: key, file: name + sealedExt, data: data}, nil
}

func (p *Publisher) remoteKey(ctx context.Context, role, uri string) (*newKey, error) {
	s, err := openURI(ctx, uri)
	if err != nil {
		return nil, err
	}
	public, err := s.PublicKey(options.WithContext(ctx))
	if err != nil {
		return nil, refuse("is it reachable, and may this account sign with it?", "read the public key of %s: %w", uri, err)
	}
	key, id, err := tufKey(public)
	if err != nil {
		return nil, refuse("make an Ed25519, ECDSA P-256 or RSA key of 3072 bits there", "the key %s: %w", uri, err)
	}
	name := keyName(role, id)
	return &newKey{signer: &signer{Signer: s, id: id, name: name}, public: key, file: name + uriExt, data: []byte(uri + "\n")}, nil
}

// openURI opens a key in a KMS or in hardware through sigstore's plugins: NAME://... is answered by a program
// sigstore-kms-NAME in the PATH. No cloud's library is linked in: this program also runs on every machine of the fleet.
func openURI(ctx context.Context, uri string) (signature.Signer, error) {
	name, rest, ok := strings.Cut(uri, "://")
	if !ok || name == "" || rest == "" || strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	}) {
		return nil, refuse("for example: awskms:///alias/extwatch-timestamp", "%q is no address of a key", uri)
	}
	s, err := kms.Get(ctx, uri, crypto.SHA256)
	var missing *kms.ProviderNotFoundError
	switch {
	case errors.As(err, &missing):
		return nil, refuse("install sigstore's plugin of that name, or write one: https://github.com/sigstore/sigstore/tree/main/pkg/signature/kms/cliplugin",
			"the program sigstore-kms-%s, which would open %s, is not in the PATH", name, uri)
	case err != nil:
		return nil, fmt.Errorf("open the key %s: %w", uri, err)
	}
	return s, nil
}

// tufKey turns a public key into what TUF metadata holds. What go-tuf would mislabel is refused here.
func tufKey(public crypto.PublicKey) (*metadata.Key, string, error) {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return nil, "", errors.New("it is of another curve than P-256")
		}
	case *rsa.PublicKey:
		if k.Size() < 3072/8 {
			return nil, "", errors.New("it has less than 3072 bits")
		}
	}
	key, err := metadata.KeyFromPublicKey(public)
	if err != nil {
		return nil, "", err
	}
	id, err := key.ID()
	return key, id, err
}

func seal(private ed25519.PrivateKey, passphrase []byte, work int) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	to, err := age.NewScryptRecipient(string(passphrase))
	if err != nil {
		return nil, err
	}
	to.SetWorkFactor(work)
	var b bytes.Buffer
	text := armor.NewWriter(&b)
	w, err := age.Encrypt(text, to)
	if err != nil {
		return nil, err
	}
	if err := pem.Encode(w, &pem.Block{Type: "PRIVATE KEY", Bytes: der}); err != nil {
		return nil, err
	}
	if err := errors.Join(w.Close(), text.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func unseal(data, passphrase []byte) (ed25519.PrivateKey, error) {
	with, err := age.NewScryptIdentity(string(passphrase))
	if err != nil {
		return nil, err
	}
	with.SetMaxWorkFactor(maxScrypt)
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(data)), with)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(r, maxKey))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("it holds no PEM block")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, errors.New("it is no Ed25519 key")
	}
	return private, nil
}

// find returns the file of a key in the folders, or "".
func find(id string, folders []string) string {
	for _, folder := range folders {
		for _, ext := range []string{sealedExt, uriExt} {
			files, err := filepath.Glob(filepath.Join(escapeGlob(folder), "*-"+short(id)+ext))
			if err == nil && len(files) > 0 {
				return files[0]
			}
		}
	}
	return ""
}

// escapeGlob keeps a folder's name from being read as a pattern. Windows has no escapes; its names hold no * or ?, and
// a bracket there is left as it is.
func escapeGlob(name string) string {
	if runtime.GOOS == "windows" {
		return name
	}
	return strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`, `\`, `\\`).Replace(name)
}

// has reports whether at least n of the keys are at hand in keys/.
func (p *Publisher) has(ids []string, n int) bool {
	for _, id := range ids {
		if p.keys[id] != nil || find(id, []string{p.path("keys")}) != "" {
			n--
		}
	}
	return n <= 0 && len(ids) > 0
}

// signers opens those of the keys that are in the folders.
func (p *Publisher) signers(ctx context.Context, ids, folders []string) ([]*signer, error) {
	var found []*signer
	for _, id := range ids {
		s := p.keys[id]
		if s == nil {
			file := find(id, folders)
			if file == "" {
				continue
			}
			var err error
			if s, err = p.openKey(ctx, id, file); err != nil {
				return nil, err
			}
			p.keys[id] = s
		}
		found = append(found, s)
	}
	return found, nil
}

func (p *Publisher) openKey(ctx context.Context, id, file string) (*signer, error) {
	data, err := readKey(file, filepath.Dir(file) == p.path("keys"))
	if err != nil {
		return nil, err
	}
	ext := filepath.Ext(file)
	s := &signer{id: id, name: strings.TrimSuffix(filepath.Base(file), ext)}
	if ext == uriExt {
		if s.Signer, err = openURI(ctx, strings.TrimSpace(string(data))); err != nil {
			return nil, err
		}
	} else {
		private, err := p.unlock(ctx, s.name, file, data)
		if err != nil {
			return nil, err
		}
		if s.Signer, err = signature.LoadED25519Signer(private); err != nil {
			return nil, fmt.Errorf("open the key %s: %w", file, err)
		}
	}
	public, err := s.PublicKey(options.WithContext(ctx))
	if err != nil {
		return nil, refuse("is it reachable, and may this account sign with it?", "read the public key of %s: %w", file, err)
	}
	if _, got, err := tufKey(public); err != nil || got != id {
		return nil, refuse("was a file renamed, or another key put at that address?", "%s holds another key than its name says", file)
	}
	return s, nil
}

// unlock opens a sealed key, with up to three tries at its passphrase.
func (p *Publisher) unlock(ctx context.Context, name, file string, data []byte) (ed25519.PrivateKey, error) {
	for range 3 {
		passphrase, err := p.cfg.Passphrase(ctx, name, false)
		if err != nil {
			return nil, err
		}
		private, err := unseal(data, passphrase)
		var wrong *age.NoIdentityMatchError
		switch {
		case err == nil:
			return private, nil
		case !errors.As(err, &wrong):
			return nil, fmt.Errorf("open the key %s: %w", file, err)
		}
	}
	return nil, refuse("each key has the passphrase that was given when it was made", "the passphrase for %s is wrong", file)
}

// readKey reads a key file. Of those in keys/ nobody else may read even the encrypted form; a stick's file system often
// has no owners to ask for.
func readKey(file string, strict bool) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("open a key: %w", err)
	}
	if info.Size() > maxKey || !info.Mode().IsRegular() {
		return nil, refuse("restore it from a backup", "%s is no key file", file)
	}
	if strict && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, refuse("chmod 600 "+file, "others on this computer can read %s", file)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("open a key: %w", err)
	}
	return data, nil
}

// save writes a new key into a folder, for its owner only, and never over another file.
func (k *newKey) save(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make the folder of a key: %w", err)
	}
	name := filepath.Join(folder, k.file)
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write a key: %w", err)
	}
	_, err = f.Write(k.data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the key %s: %w", name, err)
	}
	return nil
}
