#!/usr/bin/env bash
# A Slurm of one node on this machine, for tests: its own ports, keys and folders, no account of its own.
#
#   local_slurm.sh start DIR    prints the path of slurm.conf: export SLURM_CONF=…
#   local_slurm.sh stop DIR     cancels what runs, and ends the daemons that `start` began
#
# Needs root and Debian's package slurm-wlm. Exit code 69 (EX_UNAVAILABLE) and a reason if this machine cannot have it.
set -euo pipefail

unavailable() {
  echo "$1" >&2
  exit 69
}

[ $# -eq 2 ] || { sed -n '2,6s/^# \?//p' "$0" >&2; exit 2; }
mkdir -p "$2"
dir=$(cd "$2" && pwd)
export SLURM_CONF=$dir/slurm.conf
export PATH=$PATH:/usr/sbin:/sbin
pids=("$dir/slurmd.pid" "$dir/slurmctld.pid" "$dir/munge/pid")

# Whether the process of a pid file still runs.
runs() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

stop() {
  if runs "$dir/slurmctld.pid"; then
    timeout 10 scancel --quiet --signal=KILL --full --state=RUNNING --user=root 2>/dev/null || true
    timeout 10 scancel --quiet --user=root 2>/dev/null || true
    for _ in $(seq 50); do [ -n "$(timeout 10 squeue --noheader 2>/dev/null)" ] || break; sleep 0.2; done
  fi
  for pid in "${pids[@]}"; do
    ! runs "$pid" || kill "$(cat "$pid")" 2>/dev/null || true
    for _ in $(seq 50); do runs "$pid" || break; sleep 0.1; done
  done
}

if [ "$1" = stop ]; then
  stop
  exit 0
fi
[ "$1" = start ] || { echo "local_slurm.sh: start or stop, not $1" >&2; exit 2; }
[ "$(id -u)" -eq 0 ] || unavailable "Slurm is started by root alone"
for program in munged slurmctld slurmd sbatch squeue scontrol; do
  command -v "$program" >/dev/null || unavailable "there is no $program: apt-get install slurm-wlm"
done

mkdir -p "$dir/state" "$dir/spool" "$dir/munge"
chmod 755 "$dir"
chmod 711 "$dir/munge"
host=$(hostname -s)
cpus=$(nproc)
port=$((20000 + RANDOM % 20000))

head -c 64 /dev/urandom >"$dir/munge/key"
chmod 400 "$dir/munge/key"
munged --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
  --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" 2>"$dir/munge/said" ||
  unavailable "munged does not start: $(tail -n1 "$dir/munge/said")"

# A job that is queued again waits until its old credential has expired: two minutes by default.
cat >"$SLURM_CONF" <<CONF
ClusterName=local
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,bf_interval=1
MinJobAge=30
KillWait=5
ReturnToService=2
MpiDefault=none
SwitchType=switch/none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF

slurmctld
for _ in $(seq 50); do timeout 5 scontrol ping 2>/dev/null | grep -q UP && break; sleep 0.1; done
slurmd
for _ in $(seq 100); do
  if [ "$(timeout 5 sinfo --noheader --format=%t 2>/dev/null)" = idle ]; then
    echo "$SLURM_CONF"
    exit 0
  fi
  sleep 0.1
done
stop
unavailable "Slurm does not start; see $dir/slurmctld.log and $dir/slurmd.log"
