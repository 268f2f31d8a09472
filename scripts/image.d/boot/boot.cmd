# U-Boot: which slot starts. Two small files on the first partition say it, written in turn, so that a cut while one is written leaves
# the other. Their numbers go 1, 2, 3, 1: the newer is the one that follows the other.
setenv state 0x1000
setenv first; setenv second; setenv slot
if test -z "${devtype}"; then setenv devtype @DEVTYPE@; setenv devnum @DEVNUM@; fi

setenv TURN
if load ${devtype} ${devnum}:1 ${kernel_addr_r} slots-1.env; then
  if env import -c ${kernel_addr_r} ${state} TURN ORDER A_LEFT B_LEFT; then
    setenv first ${TURN}; setenv order1 "${ORDER}"; setenv a1 ${A_LEFT}; setenv b1 ${B_LEFT}
  fi
fi
setenv TURN
if load ${devtype} ${devnum}:1 ${kernel_addr_r} slots-2.env; then
  if env import -c ${kernel_addr_r} ${state} TURN ORDER A_LEFT B_LEFT; then
    setenv second ${TURN}; setenv order2 "${ORDER}"; setenv a2 ${A_LEFT}; setenv b2 ${B_LEFT}
  fi
fi

setenv newest 0
if test -n "${first}"; then setenv newest 1; fi
if test -n "${second}"; then
  if test -z "${first}"; then setenv newest 2; fi
  if test "${first}${second}" = "12"; then setenv newest 2; fi
  if test "${first}${second}" = "23"; then setenv newest 2; fi
  if test "${first}${second}" = "31"; then setenv newest 2; fi
fi
setenv TURN 0; setenv ORDER "A B"; setenv A_LEFT 3; setenv B_LEFT 3; setenv writes 1
if test "${newest}" = "1"; then
  setenv TURN ${first}; setenv ORDER "${order1}"; setenv A_LEFT ${a1}; setenv B_LEFT ${b1}; setenv writes 2
fi
if test "${newest}" = "2"; then
  setenv TURN ${second}; setenv ORDER "${order2}"; setenv A_LEFT ${a2}; setenv B_LEFT ${b2}
fi

for each in ${ORDER}; do
  if test -z "${slot}"; then
    if test "${each}" = "A"; then
      if test ${A_LEFT} -gt 0; then setexpr A_LEFT ${A_LEFT} - 1; setenv slot A; setenv part 2; fi
    fi
    if test "${each}" = "B"; then
      if test ${B_LEFT} -gt 0; then setexpr B_LEFT ${B_LEFT} - 1; setenv slot B; setenv part 3; fi
    fi
  fi
done
# Neither has an attempt left: both get new ones. A board that never starts helps nobody.
if test -z "${slot}"; then setenv A_LEFT 3; setenv B_LEFT 3; fi

setenv next 1
if test "${TURN}" = "1"; then setenv next 2; fi
if test "${TURN}" = "2"; then setenv next 3; fi
setenv TURN ${next}
env export -c -s ${state} ${kernel_addr_r} TURN ORDER A_LEFT B_LEFT
fatwrite ${devtype} ${devnum}:1 ${kernel_addr_r} slots-${writes}.env ${state}
if test -z "${slot}"; then echo "chevet-boot: no slot has an attempt left"; reset; fi

echo "chevet-boot: slot ${slot}, left A=${A_LEFT} B=${B_LEFT}"
load ${devtype} ${devnum}:${part} ${kernel_addr_r} cmdline.txt
env import -t ${kernel_addr_r} ${filesize} cmdline
setenv bootargs "${cmdline} chevet.slot=${slot}"
load ${devtype} ${devnum}:${part} ${kernel_addr_r} Image
load ${devtype} ${devnum}:${part} ${ramdisk_addr_r} initrd
booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${fdt_addr}
# It did not start: the attempt is counted already.
reset
