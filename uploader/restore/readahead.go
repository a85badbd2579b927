package restore

import "io"

const (
	blockSize = 512 << 10
	blocks    = 4
)

// readAhead reads r in a goroutine of its own, so that decompressing goes on while files are written.
type readAhead struct {
	full  chan block
	empty chan []byte
	stop  chan struct{}
	done  chan struct{}
	now   block
	rest  []byte
}

type block struct {
	data []byte
	err  error
}

func newReadAhead(r io.Reader) *readAhead {
	a := &readAhead{full: make(chan block, blocks), empty: make(chan []byte, blocks), stop: make(chan struct{}), done: make(chan struct{})}
	for range blocks {
		a.empty <- make([]byte, blockSize)
	}
	go a.run(r)
	return a
}

func (a *readAhead) run(r io.Reader) {
	defer close(a.done)
	for {
		var buffer []byte
		select {
		case buffer = <-a.empty:
		case <-a.stop:
			return
		}
		n, err := 0, error(nil)
		for n < blockSize && err == nil {
			var more int
			more, err = r.Read(buffer[n:])
			n += more
		}
		a.full <- block{buffer[:n], err} // never blocks: there are as many places as buffers
		if err != nil {
			return
		}
	}
}

// Read implements io.Reader.
func (a *readAhead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.now.err != nil {
			return 0, a.now.err
		}
		if a.now.data != nil {
			a.empty <- a.now.data[:blockSize]
		}
		a.now = <-a.full
		a.rest = a.now.data
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// close ends the reading, which is over when it returns.
func (a *readAhead) close() {
	close(a.stop)
	<-a.done
}
