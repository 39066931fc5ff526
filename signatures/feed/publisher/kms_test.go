package publisher

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/handler"
)

const plugin = "sigstore-kms-labkms"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == plugin {
		if err := answer(); err != nil {
			handler.WriteErrorResponse(os.Stdout, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// answer is a KMS: a sigstore plugin whose keys are files that only it knows how to read.
func answer() error {
	args, err := handler.GetPluginArgs(os.Args)
	if err != nil {
		return err
	}
	der, err := os.ReadFile(args.InitOptions.KeyResourceID)
	if err != nil {
		return err
	}
	key, err := x509.ParseECPrivateKey(der)
	if err != nil {
		return err
	}
	sv, err := signature.LoadECDSASignerVerifier(key, crypto.SHA256)
	if err != nil {
		return err
	}
	_, err = handler.Dispatch(os.Stdout, os.Stdin, args, labKMS{sv})
	return err
}

type labKMS struct{ signature.SignerVerifier }

func (labKMS) CreateKey(context.Context, string) (crypto.PublicKey, error) {
	return nil, errors.New("it makes no keys")
}

func (labKMS) CryptoSigner(context.Context, func(error)) (crypto.Signer, crypto.SignerOpts, error) {
	return nil, nil, errors.New("it lends no keys")
}

func (labKMS) SupportedAlgorithms() []string { return []string{"ecdsa-p256"} }
func (labKMS) DefaultAlgorithm() string      { return "ecdsa-p256" }

func labKey(t *testing.T, curve elliptic.Curve) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, der, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Keys that never leave their KMS sign for a role, from the ceremony on and after a rotation, and a root key as well.
func TestKeysInKMS(t *testing.T) {
	bin := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := plugin
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if err := os.Symlink(self, filepath.Join(bin, name)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	first, second := labKey(t, elliptic.P256()), labKey(t, elliptic.P256())
	s := open(t, Plan{URIs: map[string][]string{"timestamp": {"labkms://" + first}, "root": {"labkms://" + labKey(t, elliptic.P256())}}})
	s.put("campaigns/a.yml", "a: 1\n")
	s.publish(Request{})
	r := s.reader()
	files := map[string]string{"campaigns/a.yml": "a: 1\n"}
	s.wantFiles(r, files)
	s.cfg.RootKeys = s.sticks[:2]
	s.rotate(Rotation{Role: "timestamp", URIs: []string{"labkms://" + second}})
	s.wantFiles(r, files)

	// What the KMS says is told; what it cannot do is refused.
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	if _, err := s.publisher().Publish(t.Context(), Request{}); err == nil || !strings.Contains(err.Error(), "no such file") || hint(t, err) == "" {
		t.Error(err)
	}
	for uri, want := range map[string]string{
		"labkms://" + labKey(t, elliptic.P384()): "another curve than P-256",
		"labkms://":                              "no address of a key",
		"../labkms://x":                          "no address of a key",
		"nokms://x":                              "sigstore-kms-nokms",
	} {
		if _, err := s.publisher().Rotate(t.Context(), Rotation{Role: "targets", URIs: []string{uri}}); err == nil || !strings.Contains(err.Error(), want) || hint(t, err) == "" {
			t.Errorf("%s: %v, want %q", uri, err, want)
		}
	}
}
