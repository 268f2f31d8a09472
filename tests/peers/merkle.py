"""pymerkle's word on a journal: roots, inclusion and consistency.

Reads one JSON object from standard input: {"rows": [text, …], "heads": [{"size", "root"}, …],
"proofs": [{"index", "size", "path": [hex, …]}, …]}. Says "agreed N" or ends with what does not agree.
"""

import json
import sys

from pymerkle import InclusionProof, InmemoryTree, InvalidProof, verify_consistency, verify_inclusion

asked = json.load(sys.stdin)
tree = InmemoryTree(algorithm="sha256")
for row in asked["rows"]:
    tree.append_entry(row.encode())

agreed = 0
for head in asked["heads"]:
    if tree.get_state(head["size"]).hex() != head["root"]:
        sys.exit(f"the root over {head['size']} rows does not agree")
    agreed += 1

for proof in asked["proofs"]:
    index, size = proof["index"], proof["size"]
    base, root = tree.get_leaf(index + 1), tree.get_state(size)
    # The way up is the place's own; the hashes on it are ours.
    rule = tree.prove_inclusion(index + 1, size).rule
    path = [base] + [bytes.fromhex(digest) for digest in proof["path"]]
    verify_inclusion(base, root, InclusionProof("sha256", True, size, index + 1, rule, path))
    agreed += 1
    # With one changed hash it must refuse, or its word is worth nothing.
    if len(path) > 1:
        path[1] = bytes(32)
        try:
            verify_inclusion(base, root, InclusionProof("sha256", True, size, index + 1, rule, path))
        except InvalidProof:
            continue
        sys.exit("pymerkle believes anything")

sizes = [head["size"] for head in asked["heads"]]
for prior, later in zip(sizes, sizes[1:]):
    verify_consistency(tree.get_state(prior), tree.get_state(later), tree.prove_consistency(prior, later))
    agreed += 1

print(f"agreed {agreed}")
