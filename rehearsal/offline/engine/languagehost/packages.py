"""Print the pulumi-plugin.json of every package this interpreter can import, as one JSON list."""

import glob
import json
import os
import sys

found = []
for folder in sys.path[1:]:
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), "*", "pulumi-plugin.json"))):
        with open(path, encoding="utf-8") as file:
            found.append({"path": path, **json.load(file)})
print(json.dumps(found))
