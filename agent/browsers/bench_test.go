package browsers

import (
	"fmt"
	"testing"
)

// plantHomes makes n homes with what a person's home has: two browsers, one of them with three profiles, and the folders
// that are in the way.
func plantHomes(tb testing.TB, n int) string {
	tb.Helper()
	root := tempDir(tb)
	for i := range n {
		files := map[string]string{}
		home := fmt.Sprintf("home/user%03d/", i)
		chrome := home + ".config/google-chrome/"
		files[chrome+"Local State"] = `{"profile":{"info_cache":{"Default":{"name":"Ada"},"Profile 1":{"name":"Work"},"Profile 2":{"name":"x"}}}}`
		for _, p := range []string{"Default", "Profile 1", "Profile 2"} {
			files[chrome+p+"/Preferences"] = "{}"
		}
		for c := range 40 {
			files[fmt.Sprintf("%sComponent%02d/", chrome, c)] = ""
		}
		for c := range 30 {
			files[fmt.Sprintf("%s.config/program%02d/", home, c)] = ""
			files[fmt.Sprintf("%sfolder%02d/", home, c)] = ""
		}
		files[home+".mozilla/firefox/profiles.ini"] = "[Profile0]\nName=default\nIsRelative=1\nPath=a.default\n"
		files[home+".mozilla/firefox/a.default/prefs.js"] = ""
		write(tb, root, files)
	}
	return root
}

func benchmarkFind(b *testing.B, homes int) {
	root := plantHomes(b, homes)
	for b.Loop() {
		m, err := Find(b.Context(), Config{OS: onLinux, Root: root})
		if err != nil || len(m.Profiles) != 4*homes {
			b.Fatalf("%d profiles, %v", len(m.Profiles), err)
		}
	}
}

func BenchmarkFind1Home(b *testing.B)    { benchmarkFind(b, 1) }
func BenchmarkFind200Homes(b *testing.B) { benchmarkFind(b, 200) }

// BenchmarkFindEmptyHome is what a home without any browser costs.
func BenchmarkFindEmptyHome(b *testing.B) {
	root := tempDir(b)
	write(b, root, map[string]string{"home/ada/.config/": "", "home/ada/.local/share/": ""})
	for b.Loop() {
		if _, err := Find(b.Context(), Config{OS: onLinux, Root: root}); err != nil {
			b.Fatal(err)
		}
	}
}
