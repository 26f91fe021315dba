// The Go side of benches/src/bin/compare: the same programs with goroutines.
//
// rival PROGRAM COUNT prints lines of "FIGURE VALUE".
package main

import (
	"context"
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const ring = 1000

// sleepers of timer-fire.
const sleepers = 1000

// timerCount is how many timers are set and stopped among a crowd.
const timerCount = 1_000_000

// warmUp is the share of the count that runs before the clock starts.
const warmUp = 10

func main() {
	if len(os.Args) != 3 {
		fail("usage: rival PROGRAM COUNT")
	}
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fail(err)
	}
	// One processor, as the others have one scheduler.
	runtime.GOMAXPROCS(1)
	switch os.Args[1] {
	case "switch-pair":
		each(switchPair(count), 2*count)
	case "switch-same":
		each(switchSame(2, count), 2*count)
	case "switch-ring-1000":
		each(switchSame(ring, count), ring*count)
	case "channel-round-trip":
		each(channelRoundTrip(count), count)
	case "spawn-join":
		each(spawnJoin(count), count)
	case "timer-add-cancel-1":
		each(timers(0, count), count)
	case "timer-add-cancel":
		each(timers(count, timerCount), timerCount)
	case "timer-fire":
		each(timerFire(count), sleepers*count)
	case "timeout-unused":
		each(timeoutUnused(count), count)
	case "parked":
		parked(count)
	default:
		fail("unknown program " + os.Args[1])
	}
}

func fail(reason any) {
	fmt.Fprintln(os.Stderr, reason)
	os.Exit(1)
}

func each(elapsed time.Duration, operations int) {
	fmt.Printf("each %f\n", float64(elapsed.Nanoseconds())/float64(operations))
}

// timed waits until all members are there, then yields count times and says
// how long that took.
func timed(there *atomic.Int64, members int64, count int) time.Duration {
	there.Add(1)
	for there.Load() < members {
		runtime.Gosched()
	}
	for i := 0; i < count/warmUp; i++ {
		runtime.Gosched()
	}
	start := time.Now()
	for i := 0; i < count; i++ {
		runtime.Gosched()
	}
	return time.Since(start)
}

func switchPair(count int) time.Duration {
	result := make(chan time.Duration)
	var there atomic.Int64
	var done atomic.Bool
	go func() { result <- timed(&there, 2, count) }()
	go func() {
		there.Add(1)
		for !done.Load() {
			runtime.Gosched()
		}
		result <- 0
	}()
	elapsed := <-result
	done.Store(true)
	<-result
	return elapsed
}

func switchSame(members, count int) time.Duration {
	result := make(chan time.Duration)
	var there atomic.Int64
	for i := 0; i < members; i++ {
		go func() { result <- timed(&there, int64(members), count) }()
	}
	elapsed := <-result
	for i := 1; i < members; i++ {
		<-result
	}
	return elapsed
}

func channelRoundTrip(count int) time.Duration {
	there, back := make(chan int), make(chan int)
	go func() {
		for value := range there {
			back <- value
		}
	}()
	trip := func(rounds int) {
		for i := 0; i < rounds; i++ {
			there <- i
			if <-back != i {
				fail("a value was lost")
			}
		}
	}
	trip(count / warmUp)
	start := time.Now()
	trip(count)
	elapsed := time.Since(start)
	close(there)
	return elapsed
}

func spawnJoin(count int) time.Duration {
	result := make(chan int)
	run := func(rounds int) {
		for i := 0; i < rounds; i++ {
			go func() { result <- i }()
			if <-result != i {
				fail("a value was lost")
			}
		}
	}
	run(count / warmUp)
	start := time.Now()
	run(count)
	return time.Since(start)
}

// timers sets and stops count timers among a crowd of others.
func timers(crowd, count int) time.Duration {
	never := func() { fail("an hour has passed") }
	dice := rand.New(rand.NewSource(7))
	later := func() time.Duration {
		return time.Hour + time.Duration(dice.Int63n(int64(time.Hour)))
	}
	others := make([]*time.Timer, crowd)
	for i := range others {
		others[i] = time.AfterFunc(later(), never)
	}
	delays := make([]time.Duration, 1<<16)
	for i := range delays {
		delays[i] = later()
	}
	run := func(rounds int) {
		for i := 0; i < rounds; i++ {
			if !time.AfterFunc(delays[i%len(delays)], never).Stop() {
				fail("a timer has fired")
			}
		}
	}
	run(count / warmUp)
	start := time.Now()
	run(count)
	elapsed := time.Since(start)
	for _, timer := range others {
		timer.Stop()
	}
	return elapsed
}

// timerFire has a thousand goroutines sleep for the shortest time there is.
func timerFire(count int) time.Duration {
	run := func(rounds int) {
		var group sync.WaitGroup
		for i := 0; i < sleepers; i++ {
			group.Add(1)
			go func() {
				defer group.Done()
				for i := 0; i < rounds; i++ {
					time.Sleep(1)
				}
			}()
		}
		group.Wait()
	}
	run(count / warmUp)
	start := time.Now()
	run(count)
	return time.Since(start)
}

// timeoutUnused makes a context with a limit of time, and is done with it.
func timeoutUnused(count int) time.Duration {
	run := func(rounds int) {
		for i := 0; i < rounds; i++ {
			limited, cancel := context.WithTimeout(context.Background(), time.Minute)
			if limited.Err() != nil {
				fail("a minute has passed")
			}
			cancel()
		}
	}
	run(count / warmUp)
	start := time.Now()
	run(count)
	return time.Since(start)
}

func parked(count int) {
	gate := make(chan struct{})
	ended := make(chan struct{})
	var started atomic.Int64
	bytesBefore, _ := footprint()
	start := time.Now()
	for i := 0; i < count; i++ {
		go func() {
			started.Add(1)
			<-gate
			if started.Add(-1) == 0 {
				close(ended)
			}
		}()
	}
	for started.Load() < int64(count) {
		runtime.Gosched()
	}
	elapsed := time.Since(start)
	bytes, mappings := footprint()
	fmt.Printf("bytes %f\n", float64(bytes-bytesBefore)/float64(count))
	fmt.Printf("start %f\n", float64(elapsed.Nanoseconds())/float64(count))
	fmt.Printf("vmas %d\n", mappings)
	close(gate)
	<-ended
}

// footprint is VmRSS + VmPTE in bytes, and the number of mappings.
func footprint() (int, int) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		fail(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		fail(err)
	}
	kilobytes := 0
	for _, line := range strings.Split(string(status), "\n") {
		if strings.HasPrefix(line, "VmRSS:") || strings.HasPrefix(line, "VmPTE:") {
			value, err := strconv.Atoi(strings.Fields(line)[1])
			if err != nil {
				fail(err)
			}
			kilobytes += value
		}
	}
	return kilobytes << 10, strings.Count(string(maps), "\n")
}
