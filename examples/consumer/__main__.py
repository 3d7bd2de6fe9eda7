"""Another team's program: reads what Neurmatic's stack promises, typed, and builds on it.

    pulumi config set neurmatic organization/neurmatic/production

Reading a stack that has secrets takes its key (PULUMI_CONFIG_PASSPHRASE or access to its KMS key). A team without it
fetches the published contract: `./infra outputs --team frontend --stack production`.
"""

import pulumi

from components.outputs import neurmatic, read

source = pulumi.Config().require("neurmatic")
ours = read(pulumi.StackReference(source), neurmatic)

pulumi.export("api", ours.apply(lambda outputs: outputs.frontend.api_url))
pulumi.export("uploads", ours.apply(lambda outputs: outputs.storage.media_bucket))
