package response

import (
	"archive/zip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func TestPreserve(t *testing.T) {
	b, root := machine(t, nil)
	files := fstest.MapFS{
		"manifest.json": {Data: []byte(`{"name": "x"}`)},
		"js/bg.js":      {Data: []byte("1")},
		"no":            {Mode: 0o644 | os.ModeSymlink, Data: []byte("/nowhere")},
	}
	name, err := b.Preserve(t.Context(), Evidence{ID: thief, Name: "X", Version: "1", Path: "/p", Files: files, Facts: map[string]any{"rule": "r"}})
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Base(name) != "20260102T120000Z-"+thief+".zip" {
		t.Error(name)
	}
	for path, want := range map[string]os.FileMode{name: 0o600, filepath.Dir(name): 0o700} {
		if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, fi.Mode(), err)
		}
	}
	z, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	text := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, _ := io.ReadAll(r)
		text[f.Name] = string(data)
	}
	if text["files/js/bg.js"] != "1" || !strings.Contains(text["facts.json"], `"rule": "r"`) {
		t.Errorf("%v", text)
	}
	var list []keptFile
	if err := json.Unmarshal([]byte(text["list.json"]), &list); err != nil || len(list) != 3 {
		t.Errorf("%v, %v", list, err)
	}
	for _, k := range list {
		if k.Path == "js/bg.js" && k.SHA256 != "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b" {
			t.Errorf("%+v", k)
		}
		if k.Path == "no" && k.Error == "" {
			t.Error("what could not be read is not told")
		}
	}
	if got := tree(t, root); len(got) != 1 {
		t.Errorf("left: %v", got)
	}
}

func TestFileName(t *testing.T) {
	for id, want := range map[string]string{"a@b.example": "a@b.example", "../x\x00/é": ".._x___", uuid: uuid} {
		if got := fileName(id); got != want {
			t.Errorf("%q: %q, want %q", id, got, want)
		}
	}
}
