// The Go side of benches/src/bin/compare/growth: so many goroutines.
//
// rival PROGRAM COUNT prints lines of "FIGURE VALUE".
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// operations is what a figure is the mean of, at least.
const operations = 200_000

// heldMin: fewer goroutines hold too little beside what is there anyhow.
const heldMin = 1000

// What a goroutine is woken for.
const (
	wait = iota
	ring
	end
)

var (
	gate     = make(chan int)
	turning  atomic.Bool
	waiting  atomic.Int64
	switches atomic.Int64
	count    int64
)

func main() {
	if len(os.Args) != 3 || os.Args[1] != "growth-tasklets" {
		fail("usage: rival growth-tasklets COUNT")
	}
	number, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fail(err)
	}
	count = int64(number)
	// One processor, as the others have one scheduler.
	runtime.GOMAXPROCS(1)

	before := footprint()
	begin := time.Now()
	start()
	each("start", time.Since(begin), count)
	if count >= heldMin {
		fmt.Printf("bytes %f\n", float64(footprint()-before)/float64(count))
	}

	rounds := max(operations/count, 1)
	wake()
	begin = time.Now()
	for range rounds {
		wake()
	}
	each("wake", time.Since(begin), rounds*count)

	turning.Store(true)
	tell(ring)
	for switches.Load() < count {
		runtime.Gosched()
	}
	begin, first := time.Now(), switches.Load()
	for switches.Load() < first+max(rounds, 3)*count {
		runtime.Gosched()
	}
	each("switch", time.Since(begin), switches.Load()-first)
	waiting.Store(0)
	turning.Store(false)
	settle(count)

	tell(end)
	settle(0)
	begin = time.Now()
	for range rounds {
		start()
		tell(end)
		settle(0)
	}
	each("again", time.Since(begin), rounds*count)
}

// start starts all of them, up to where they wait.
func start() {
	for range count {
		go func() {
			waiting.Add(1)
			for turn := range gate {
				if turn == end {
					waiting.Add(-1)
					return
				}
				for turn == ring && turning.Load() {
					switches.Add(1)
					runtime.Gosched()
				}
				waiting.Add(1)
			}
		}()
	}
	settle(count)
}

// tell gives each a turn.
func tell(turn int) {
	for range count {
		gate <- turn
	}
}

// wake wakes each, and lets each run until it waits again.
func wake() {
	waiting.Store(0)
	tell(wait)
	settle(count)
}

// settle lets the others run until so many wait.
func settle(number int64) {
	for waiting.Load() != number {
		runtime.Gosched()
	}
}

func each(figure string, elapsed time.Duration, number int64) {
	fmt.Printf("%s %f\n", figure, float64(elapsed.Nanoseconds())/float64(number))
}

func fail(reason any) {
	fmt.Fprintln(os.Stderr, reason)
	os.Exit(1)
}

// footprint is VmRSS + VmPTE in bytes.
func footprint() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		fail(err)
	}
	var kilobytes int64
	for _, line := range strings.Split(string(status), "\n") {
		if strings.HasPrefix(line, "VmRSS:") || strings.HasPrefix(line, "VmPTE:") {
			value, err := strconv.ParseInt(strings.Fields(line)[1], 10, 64)
			if err != nil {
				fail(err)
			}
			kilobytes += value
		}
	}
	return kilobytes << 10
}
