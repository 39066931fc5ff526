package settings

import (
	"io"
	"os"
)

func readManaged() []Managed {
	f, err := os.Open(managedFile)
	if err != nil {
		return nil // not managed
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil
	}
	return managedPlist(data)
}
