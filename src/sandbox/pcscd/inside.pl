# Runs inside the private mount and network name spaces that pcscd.rs makes: starts pcscd there, and carries bytes
# between the slots' Unix sockets (seen by everyone who sees the folder) and vpcd's TCP ports (seen by nobody else).
#
# Perl, because perl-base is part of every Debian and because a Rust process with threads cannot enter a user name
# space. Usage: inside.pl FOLDER PORT SLOTS PCSCD ARGUMENT…; orders on standard input, one a line: start, stop,
# rescan. Its end of file (the owner has gone, however it went) ends everything.
use strict;
use warnings;
use File::Path;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use Socket;

my ($folder, $port, $slots, @pcscd) = @ARGV;
my $service;
$| = 1;
$SIG{PIPE} = 'IGNORE';

# The service's socket has a fixed path: our folder lies over it. Where the desk has no such folder, an empty /run is
# laid over the desk's first; "." still leads to ours, wherever that is.
chdir("$folder/run") or die "chdir: $!";
if (!-d '/run/pcscd') {
    run('mount', '-t', 'tmpfs', 'tmpfs', '/run');
    mkdir('/run/pcscd') or die "mkdir: $!";
}
run('mount', '--no-canonicalize', '--bind', '.', '/run/pcscd');
# No drivers for real readers: this service must not take the desk's.
run('mount', '-t', 'tmpfs', 'tmpfs', '/usr/lib/pcsc/drivers') if -d '/usr/lib/pcsc/drivers';

# SIOCSIFFLAGS: a new network name space has its loopback down.
socket(my $any, PF_INET, SOCK_DGRAM, 0) or die "socket: $!";
my $up = pack('a16 s x22', 'lo', 1);
ioctl($any, 0x8914, $up) or die "loopback: $!";

my $select = IO::Select->new(\*STDIN);
my (%target, %other);
for my $slot (0 .. $slots - 1) {
    my $path = "$folder/slot-$slot";
    my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 4) or die "listen: $!";
    $target{$listener} = $port + $slot;
    $select->add($listener);
}
start();

while (1) {
    for my $ready ($select->can_read) {
        if ($ready == \*STDIN) { order() }
        elsif ($target{$ready}) { connect_slot($ready) }
        elsif ($other{$ready}) { carry($ready) }
    }
}

sub order {
    # Orders are short and come one at a time: one read is one order.
    my $got = sysread(STDIN, my $line, 64);
    if (!$got) { stop(); chdir('/'); rmtree($folder); exit 0 }
    stop() if $line =~ /^stop/;
    start() if $line =~ /^start/;
    rescan() if $line =~ /^rescan/;
}

sub connect_slot {
    my ($listener) = @_;
    my $near = $listener->accept or return;
    my $far = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $target{$listener}) or return close($near);
    setsockopt($far, 6, 1, 1); # IPPROTO_TCP, TCP_NODELAY
    ($other{$near}, $other{$far}) = ($far, $near);
    $select->add($near, $far);
}

sub carry {
    my ($from) = @_;
    my $to = $other{$from};
    # TCP_QUICKACK, which the kernel forgets: the driver writes a length and then its bytes, and waits between the two
    # for our acknowledgement, which would be delayed by 40 ms. Of no meaning, and harmless, on a Unix socket.
    setsockopt($from, 6, 12, 1);
    my $got = sysread($from, my $bytes, 65536);
    my $sent = 0;
    while ($got && $sent < $got) {
        my $more = syswrite($to, $bytes, $got - $sent, $sent) or last;
        $sent += $more;
    }
    return if $got && $sent == $got;
    for my $end ($from, $to) { $select->remove($end); delete $other{$end}; close($end) }
}

sub start {
    return if $service;
    # What a killed service left behind would make the next one believe that it still runs.
    unlink('/run/pcscd/pcscd.comm', '/run/pcscd/pcscd.pid');
    $service = fork() // die "fork: $!";
    if (!$service) {
        open(STDIN, '<', '/dev/null');
        open(STDOUT, '>>', "$folder/pcscd.log");
        open(STDERR, '>&', \*STDOUT);
        exec(@pcscd) or POSIX::_exit(127);
    }
    print "started $service\n";
}

sub stop {
    return if !$service;
    kill('TERM', $service);
    for my $try (1 .. 100) {
        last if waitpid($service, POSIX::WNOHANG()) != 0;
        kill('KILL', $service) if $try == 60;
        select(undef, undef, undef, 0.02);
    }
    $service = undef;
    print "stopped\n";
}

# As a person does who has changed the list of readers that do not announce themselves.
sub rescan {
    system("$pcscd[0] --hotplug >>'$folder/pcscd.log' 2>&1");
    print "rescanned\n";
}

sub run { system(@_) == 0 or die "@_ failed\n" }
