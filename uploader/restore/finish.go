package restore

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path"
	"slices"
	"strconv"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/uploader/pgdata"
)

const labelName = "backup_label"

// finish makes a data directory of what was unpacked. Every step can be done again, as it is when a call is killed here.
func (c Config) finish(s *set, d *directory) error {
	if err := c.placeHeld(s, d); err != nil {
		return err
	}
	if err := checkLabel(s, d.data); err != nil {
		return err
	}
	for _, name := range pgdata.Directories() {
		if err := d.data.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	for oid, location := range d.state.Tablespaces {
		if err := link(d.data, location, path.Join("pg_tblspc", oid)); err != nil {
			return err
		}
	}
	if c.Recovery != nil {
		if err := c.writeRecovery(s, d); err != nil {
			return err
		}
	}
	if err := d.own(); err != nil {
		return err
	}
	if err := c.sync(d); err != nil {
		return err
	}
	if err := placeControl(s, d); err != nil {
		return err
	}
	if err := c.sync(d); err != nil {
		return err
	}
	return d.data.RemoveAll(ours)
}

// sync waits until everything is on disk.
func (c Config) sync(d *directory) error {
	if c.NoSync {
		return nil
	}
	for _, t := range d.trees {
		if err := syncTree(t); err != nil {
			return fmt.Errorf("sync %s: %w", t.Name(), err)
		}
	}
	return nil
}

// inOrder are the archives of PGDATA by their numbers: barman stores external configuration, and the label, last.
func inOrder(s *set) []archive {
	var list []archive
	for _, a := range s.archives {
		if a.Base == layout.Data {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b archive) int { return cmp.Compare(a.Number, b.Number) })
	return list
}

// placeHeld moves the files that waited, all but pg_control, the later archive's over the earlier one's.
func (c Config) placeHeld(s *set, d *directory) error {
	for _, a := range inOrder(s) {
		held, err := fs.ReadDir(d.ours.FS(), a.String())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return err
		}
		for _, e := range held {
			if e.Name() == controlHeld {
				continue
			}
			if err := d.data.Rename(path.Join(ours, a.String(), e.Name()), e.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

var controlHeld = path.Base(pgdata.ControlName)

// checkLabel: without backup_label PostgreSQL starts from the checkpoint in pg_control, and comes up with data that is
// wrong without a word.
func checkLabel(s *set, data *os.Root) error {
	label, err := data.ReadFile(labelName)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: no archive holds %s: the backup is not whole", ErrDamaged, labelName)
	case err != nil:
		return err
	case s.manifest != nil && !bytes.Equal(label, []byte(s.manifest.Label)):
		return fmt.Errorf("%w: %s is not the one that was sealed", ErrDamaged, labelName)
	}
	_, err = manifest.ParseLabel(string(label))
	return err
}

// link makes the link of a tablespace, or leaves the one that an earlier call made.
func link(data *os.Root, location, name string) error {
	if to, err := data.Readlink(name); err == nil && to == location {
		return nil
	}
	err := data.Symlink(location, name)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: an archive holds %s, where the link to a tablespace belongs", ErrRefused, name)
	}
	return err
}

// writeRecovery writes postgresql.auto.conf and the signal file.
func (c Config) writeRecovery(s *set, d *directory) error {
	const auto = "postgresql.auto.conf"
	old, err := d.data.ReadFile(auto)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	conf, err := c.autoConf(old, s.id)
	if err != nil {
		return err
	}
	if err := replace(d.data, auto, conf, 0o600); err != nil {
		return err
	}
	signal, other := "recovery.signal", "standby.signal"
	if c.Recovery.Standby {
		signal, other = other, signal
	}
	if err := d.data.Remove(other); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return replace(d.data, signal, nil, 0o600)
}

// placeControl puts pg_control in place: from here on PostgreSQL starts.
func placeControl(s *set, d *directory) error {
	for _, a := range inOrder(s) {
		held := path.Join(ours, a.String(), controlHeld)
		raw, err := d.data.ReadFile(held)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return err
		}
		if err := checkControl(s, raw); err != nil {
			return fmt.Errorf("%s: %w", a.key, err)
		}
		if err := d.data.Rename(held, pgdata.ControlName); err != nil {
			return err
		}
	}
	if _, err := d.data.Lstat(pgdata.ControlName); err != nil {
		return fmt.Errorf("%w: no archive holds %s: the backup is not whole", ErrDamaged, pgdata.ControlName)
	}
	return nil
}

// checkControl holds pg_control against its CRC and the backup's cluster.
func checkControl(s *set, raw []byte) error {
	control, err := pgdata.ParseControl(raw)
	switch {
	case err != nil && s.info.Version >= 130000:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case err == nil && s.info.SystemID != "" && strconv.FormatUint(control.SystemID, 10) != s.info.SystemID:
		return fmt.Errorf("%w: pg_control is of the cluster %d, and the backup of %s", ErrDamaged, control.SystemID, s.info.SystemID)
	}
	return nil
}

// own gives everything to one user when root restores, as PostgreSQL does not run as root: to the owner of a directory
// that was there before, else to the user whose files were backed up, by the name if it is known here.
func (d *directory) own() error {
	if os.Geteuid() != 0 {
		return nil
	}
	uid, gid := d.state.UID, d.state.GID
	if u, err := user.Lookup(d.state.User); err == nil {
		id, uerr := strconv.Atoi(u.Uid)
		group, gerr := strconv.Atoi(u.Gid)
		if uerr == nil && gerr == nil && id != 0 {
			uid, gid = id, group
		}
	}
	if info, err := os.Stat(d.path); err != nil {
		return err
	} else if u, g := ownerOf(info); u != 0 {
		uid, gid = u, g
	}
	if uid == 0 {
		return nil
	}
	for _, t := range d.trees {
		err := fs.WalkDir(t.FS(), ".", func(name string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return t.Lchown(name, uid, gid)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
