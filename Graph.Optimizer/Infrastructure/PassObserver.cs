using System.Globalization;

namespace Graphene.Optimizer;

/// <summary>What happens around passes: verification, dumps, timing.</summary>
internal sealed class PassObserver(PassContext context)
{
    private readonly DebugOptions _debug = context.Options.Debug;

    public void Start(Module module) => Verify("input", module);

    /// <summary>Names a pass in an error, with the folder to look into.</summary>
    public string Where(IGraphPass pass) =>
        _debug.DumpFolder is null ? $"pass {pass.Name}" : $"pass {pass.Name} (dumps in {_debug.DumpFolder})";

    public void After(IGraphPass pass, Module before, Module after, TimeSpan elapsed, long rewrites)
    {
        var timing = new PassTiming(
            pass.Name, elapsed, rewrites, before.Entry.PostOrder().Count, after.Entry.PostOrder().Count);
        context.AddTiming(timing);
        if (_debug.Timing)
        {
            context.Log(string.Create(
                CultureInfo.InvariantCulture,
                $"{pass.Name}: {elapsed.TotalMilliseconds:F2} ms, {rewrites} rewrites, {timing.NodesBefore} -> {timing.NodesAfter} nodes"));
        }
        if (!ReferenceEquals(before, after))
        {
            Verify(Where(pass), after);
        }
    }

    private void Verify(string where, Module module)
    {
        bool asked = _debug.Verify ?? context.Options.Verify;
#if DEBUG
        asked = _debug.Verify ?? true;
#endif
        if (asked)
        {
            Verifier.Verify(module, where);
        }
    }
}
