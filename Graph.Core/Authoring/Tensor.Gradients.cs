using System.Runtime.CompilerServices;

namespace Graphene;

/// <content>What gradients do at a tensor.</content>
public sealed partial class Tensor
{
    /// <summary>The same value, which counts as a constant for gradients.</summary>
    public Tensor StopGradient([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.StopGradient(x), file, line);
}
