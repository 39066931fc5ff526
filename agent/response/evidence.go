package response

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

const (
	// maxEvidence bounds one package of evidence. The largest real extensions have 200 MB.
	maxEvidence = 512 << 20
	// maxEvidenceFiles bounds its files.
	maxEvidenceFiles = 20_000
	evidenceFolder   = "evidence"
)

// Evidence is what is kept of an extension before it is blocked, or may vanish.
type Evidence struct {
	ID, Name, Version string
	Path              string // where it lay
	Files             fs.FS  // nil when nothing of it could be opened
	Facts             any    // findings, reach, timeline: what the caller knows, as JSON
}

// A keptFile is one row of the package's list.
type keptFile struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256,omitempty"`
	Error  string `json:"error,omitempty"` // why it, or the rest of it, is not there
}

// Preserve packs the extension's files into a zip in the folder of evidence, which only the owner of the service may read:
// the files below files/, list.json with their hashes, facts.json with what is known. It returns the package's path. What
// cannot be read is listed with the reason; an error means that there is no package.
func (b *Blocker) Preserve(ctx context.Context, e Evidence) (string, error) {
	dir := filepath.Join(b.cfg.Folder, evidenceFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("keep evidence: %w", err)
	}
	f, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return "", fmt.Errorf("keep evidence: %w", err)
	}
	defer os.Remove(f.Name()) // an error once it is renamed
	at := b.cfg.Now().UTC()
	p := packer{zip: zip.NewWriter(f), left: maxEvidence}
	err = p.pack(ctx, e, at)
	if cerr := p.zip.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	name := filepath.Join(dir, at.Format("20060102T150405Z")+"-"+fileName(e.ID)+".zip")
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return "", fmt.Errorf("keep evidence of %s: %w", e.ID, err)
	}
	return name, nil
}

// fileName makes of an ID what every file system takes.
func fileName(id string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("@._-{}", r) {
			return r
		}
		return '_'
	}, id)
	return clean[:min(len(clean), 100)]
}

type packer struct {
	zip  *zip.Writer
	left int64
	list []keptFile
}

func (p *packer) pack(ctx context.Context, e Evidence, at time.Time) error {
	if e.Files != nil {
		err := fs.WalkDir(e.Files, ".", func(name string, d fs.DirEntry, err error) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				p.list = append(p.list, keptFile{Path: name, Error: err.Error()})
				return nil
			}
			if d.IsDir() {
				return nil
			}
			if len(p.list) >= maxEvidenceFiles {
				p.list = append(p.list, keptFile{Path: name, Error: "too many files; the rest is not kept"})
				return fs.SkipAll
			}
			return p.file(e.Files, name, at)
		})
		if err != nil {
			return err
		}
	}
	facts := map[string]any{"id": e.ID, "name": e.Name, "version": e.Version, "path": e.Path, "kept_at": at, "facts": e.Facts}
	return errors.Join(p.json("list.json", p.list, at), p.json("facts.json", facts, at))
}

// file packs one file. Only errors of the package itself are returned.
func (p *packer) file(files fs.FS, name string, at time.Time) error {
	k := keptFile{Path: name}
	defer func() { p.list = append(p.list, k) }()
	in, err := files.Open(name)
	if err != nil {
		k.Error = err.Error()
		return nil
	}
	defer in.Close()
	out, err := p.zip.CreateHeader(&zip.FileHeader{Name: path.Join("files", name), Method: zip.Deflate, Modified: at})
	if err != nil {
		return err
	}
	hash := sha256.New()
	in2 := &reader{r: io.LimitReader(in, p.left)}
	k.Size, err = io.Copy(io.MultiWriter(out, hash), in2)
	if in2.err != nil {
		k.Error = in2.err.Error()
	} else if err != nil {
		return err
	}
	if p.left -= k.Size; p.left <= 0 {
		p.left, k.Error = 0, fmt.Sprintf("the extension has more than %d MB; the rest is not kept", maxEvidence>>20)
	}
	k.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return nil
}

// A reader remembers that reading failed, which io.Copy does not tell from writing.
type reader struct {
	r   io.Reader
	err error
}

func (r *reader) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

func (p *packer) json(name string, v any, at time.Time) error {
	out, err := p.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: at})
	if err != nil {
		return err
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "\t")
	return enc.Encode(v)
}
