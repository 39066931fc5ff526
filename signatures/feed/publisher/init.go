package publisher

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// A Plan says what Init makes. Its zero value, but for Organisation, is what suits a small company.
type Plan struct {
	Organisation string // who publishes; shown to who looks at a machine's feed

	// Keys and Thresholds say how many keys a role has, and how many of them must sign. Without an entry, the root has
	// three keys of which two sign, so that a lost one strands nobody and a stolen one rules nobody; other roles have one.
	Keys, Thresholds map[string]int

	Lifetimes map[string]time.Duration // of each role's signature; without an entry as in Lifetimes()
	URIs      map[string][]string      // of a role's keys that are in a KMS, in the place of new ones
	OrgKeys   string                   // folder for the keys of role org, to hand them to another team; "": keys/
	Scrypt    int                      // work of guessing a passphrase, as a power of two; 0: 17
}

// Created is what Init made.
type Created struct {
	Root        string              // the file to hand to agents
	Fingerprint string              // SHA-256 of it, hexadecimal
	Keys        map[string][]string // by role, the files of its keys
	Thresholds  map[string]int
}

const (
	maxOrganisation = 100 // letters
	maxKeys         = 16  // of a role: people who meet
)

// Init makes a feed's folder in cfg.Dir and its root keys in cfg.RootKeys, and publishes an empty feed.
func Init(ctx context.Context, cfg Config, plan Plan) (Created, error) {
	if err := checkPlan(&cfg, &plan); err != nil {
		return Created{}, err
	}
	p := &Publisher{cfg: cfg, settings: settings{Organisation: plan.Organisation, Expires: map[string]string{}, Scrypt: plan.Scrypt}, keys: map[string]*signer{}}
	for role, usual := range Lifetimes() {
		d := plan.Lifetimes[role]
		if d == 0 {
			d = usual
		}
		p.settings.Expires[role] = strconv.Itoa(int(d/day)) + "d"
	}
	out := Created{Keys: map[string][]string{}, Thresholds: plan.Thresholds}
	keys := map[string][]*newKey{}
	for _, role := range allRoles() {
		for i := range plan.Keys[role] {
			uri := ""
			if i < len(plan.URIs[role]) {
				uri = plan.URIs[role][i]
			}
			label := role
			if plan.Keys[role] > 1 {
				label = fmt.Sprintf("%s %d of %d", role, i+1, plan.Keys[role])
			}
			k, err := p.makeKey(ctx, role, label, uri)
			if err != nil {
				return Created{}, err
			}
			keys[role] = append(keys[role], k)
		}
	}
	if err := p.makeFolders(); err != nil {
		return Created{}, fmt.Errorf("make the feed's folder: %w", err)
	}
	for role, list := range keys {
		for i, k := range list {
			folder := p.keyFolder(role, plan.OrgKeys, i)
			if err := k.save(folder); err != nil {
				return Created{}, err
			}
			out.Keys[role] = append(out.Keys[role], filepath.Join(folder, k.file))
		}
	}
	root, err := p.first(keys, plan)
	if err != nil {
		return Created{}, err
	}
	sum := sha256.Sum256(root)
	out.Root, out.Fingerprint = p.path(rootName), hex.EncodeToString(sum[:])
	return out, p.settings.write(p.path(settingsName)) // last: without it the folder is no feed
}

func (p *Publisher) makeFolders() error {
	for _, dir := range []string{p.path("source", "campaigns"), p.path("source", "techniques"), p.path("source", "indicators")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	return errors.Join(os.MkdirAll(p.path("keys"), 0o700), makeFolder(p.path(publicName, metadataName)), makeFolder(p.path(publicName, targetsName)))
}

// keyFolder is where a role's i-th key is put.
func (p *Publisher) keyFolder(role, orgKeys string, i int) string {
	switch {
	case role == roleRoot:
		return p.cfg.RootKeys[i%len(p.cfg.RootKeys)]
	case role == roleOrg && orgKeys != "":
		return orgKeys
	}
	return p.path("keys")
}

func checkPlan(cfg *Config, plan *Plan) error {
	if plan.Organisation = strings.TrimSpace(plan.Organisation); plan.Organisation == "" || len([]rune(plan.Organisation)) > maxOrganisation ||
		strings.ContainsFunc(plan.Organisation, func(r rune) bool { return r < ' ' }) {
		return refuse("for example: --org 'Example Ltd'", "the organisation's name is missing, or too long")
	}
	if entries, err := os.ReadDir(cfg.Dir); err == nil && len(entries) > 0 {
		hint := "choose another folder"
		if _, err := os.Stat(filepath.Join(cfg.Dir, settingsName)); errors.Is(err, fs.ErrNotExist) {
			hint += ", or remove it: it is not a feed, or one whose making was interrupted"
		}
		return refuse(hint, "%s is not empty", cfg.Dir)
	}
	if err := apart(cfg.RootKeys, cfg.Dir); err != nil {
		return err
	}
	if plan.Scrypt == 0 {
		plan.Scrypt = usualScrypt
	}
	plan.Keys, plan.Thresholds = maps.Clone(plan.Keys), maps.Clone(plan.Thresholds)
	if plan.Keys == nil {
		plan.Keys = map[string]int{}
	}
	if plan.Thresholds == nil {
		plan.Thresholds = map[string]int{}
	}
	for _, role := range allRoles() {
		keys, threshold := 1, 1
		if role == roleRoot {
			keys, threshold = 3, 2
		}
		if plan.Keys[role] == 0 {
			plan.Keys[role] = max(keys, plan.Thresholds[role], len(plan.URIs[role]))
		}
		if plan.Thresholds[role] == 0 {
			plan.Thresholds[role] = min(threshold, plan.Keys[role])
		}
		if k, n := plan.Keys[role], plan.Thresholds[role]; k < 1 || k > maxKeys || n < 1 || n > k || len(plan.URIs[role]) > k {
			return refuse("three keys of which two sign suit the root, one key the others", "role %s cannot have %d keys of which %d sign", role, k, n)
		}
		if d := plan.Lifetimes[role]; d != 0 && (d < day || d > maxLifetime) {
			return refuse("give a number of days", "role %s cannot sign for %s", role, d)
		}
	}
	return nil
}

// apart refuses folders for root keys that lie in the feed's own folder, which is on the machine of daily work.
func apart(folders []string, dir string) error {
	if len(folders) == 0 {
		return refuse("give --root-keys a folder on a stick that you then lock away", "there is no place for the root keys")
	}
	within, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		abs, err := filepath.Abs(folder)
		if err != nil {
			return err
		}
		if rel, err := filepath.Rel(within, abs); err == nil && filepath.IsLocal(rel) {
			return refuse("give --root-keys a folder on a stick that you then lock away", "the root keys are to be kept apart from %s", dir)
		}
	}
	return nil
}

// first signs and writes the first version of all metadata, which names no file yet, and returns the root's.
func (p *Publisher) first(keys map[string][]*newKey, plan Plan) ([]byte, error) {
	expires := map[string]time.Time{}
	for _, role := range allRoles() {
		d, err := p.settings.lifetime(role)
		if err != nil {
			return nil, err
		}
		expires[role] = p.cfg.now().Add(d)
	}
	root := metadata.Root(expires[roleRoot])
	root.Signed.UnrecognizedFields = map[string]any{"x-organisation": plan.Organisation}
	targets := metadata.Targets(expires[roleTargets])
	targets.Signed.Delegations = &metadata.Delegations{Keys: map[string]*metadata.Key{}, Roles: []metadata.DelegatedRole{{
		Name: roleOrg, Terminating: true, Threshold: plan.Thresholds[roleOrg], Paths: orgPaths(), KeyIDs: []string{},
	}}}
	signers := map[string][]*signer{}
	for role, list := range keys {
		for _, k := range list {
			err := error(nil)
			if role == roleOrg {
				err = targets.Signed.AddKey(k.public, role)
			} else {
				err = root.Signed.AddKey(k.public, role)
			}
			if err != nil {
				return nil, fmt.Errorf("name the keys: %w", err)
			}
			signers[role] = append(signers[role], k.signer)
			p.keys[k.signer.id] = k.signer
		}
		if role != roleOrg {
			root.Signed.Roles[role].Threshold = plan.Thresholds[role]
		}
	}
	rootData, err := sign(root, signers[roleRoot])
	if err != nil {
		return nil, err
	}
	r := &repository{root: root, targets: targets, org: metadata.Targets(expires[roleOrg]),
		snapshot: metadata.Snapshot(expires[roleSnapshot]), timestamp: metadata.Timestamp(expires[roleTimestamp])}
	for _, m := range []*targetsMeta{r.targets, r.org} {
		m.Signed.Version = 0
	}
	r.snapshot.Signed.Version, r.timestamp.Signed.Version = 0, 0
	d := &draft{root: root, files: map[string]map[string]*metadata.TargetFiles{roleTargets: {}, roleOrg: {}}}
	changes, err := p.compose(context.Background(), r, d)
	if err != nil {
		return nil, err
	}
	if err := p.write(append([]change{{path.Join(metadataName, numbered(1, roleRoot)), rootData}}, changes...)); err != nil {
		return nil, err
	}
	if err := replace(p.path(rootName), rootData, 0o644); err != nil {
		return nil, fmt.Errorf("write the root: %w", err)
	}
	return rootData, state{Versions: map[string]int64{}}.done(p, d.next.versions())
}

// keyFiles lists the files of keys in a folder.
func keyFiles(folder string) []string {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil
	}
	var files []string
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); !e.IsDir() && (ext == sealedExt || ext == uriExt) {
			files = append(files, e.Name())
		}
	}
	return slices.Clip(files)
}
