# Shows what the gateway found, in any client: flags and tags, nothing in the message itself.
# The gateway's block is the topmost: index 1. A forged X-247CP field further down is renamed or ignored.
require ["fileinto", "imap4flags", "mailbox", "index"];

if header :index 1 :is "X-247CP-Class" "emergency" {
  addflag ["\\Flagged", "$label1", "247cp_emergency"];
} elsif header :index 1 :is "X-247CP-Class" "preservation" {
  addflag ["$label2", "247cp_preservation"];
} elsif header :index 1 :is "X-247CP-Class" "subscriber-info" {
  addflag ["$label4", "247cp_subscriber"];
}

# An answer to our own request that came on another channel: do not use it before it was asked for again.
if header :index 1 :contains "X-247CP-Disposition" "off-channel" {
  addflag ["$label3", "247cp_offchannel"];
}

if header :index 1 :matches "X-247CP-Disposition" "hold*" {
  fileinto :create "Quarantine";
  stop;
}
