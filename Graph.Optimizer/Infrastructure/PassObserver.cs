using System.Globalization;

namespace Graphene.Optimizer;

/// <summary>What happens around passes: verification, dumps, timing.</summary>
internal sealed class PassObserver(PassContext context)
{
    private readonly DebugOptions _debug = context.Options.Debug;
    private int _dumps;

    public void Start(Module module)
    {
        Verify("the input of the optimizer", module);
        Dump("input", module);
    }

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
            Dump(pass.Name, after);
            Verify(Where(pass), after);
        }
    }

    // Numbered in the order of the passes; the text can be fed back to the parser.
    private void Dump(string pass, Module module)
    {
        if (_debug.DumpFolder is null || _debug.DumpPasses?.IsMatch(pass) == false)
        {
            return;
        }
        string name = string.Create(CultureInfo.InvariantCulture, $"{FileName(module.Name)}.{_dumps++:D3}.{pass}");
        try
        {
            Directory.CreateDirectory(_debug.DumpFolder);
            File.WriteAllText(Path.Combine(_debug.DumpFolder, name + ".hlo"), Printer.Print(module));
            File.WriteAllText(Path.Combine(_debug.DumpFolder, name + ".dot"), DotWriter.Write(module));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            context.Log($"no dump of {name} in {_debug.DumpFolder}: {e.Message}");
        }
    }

    private static string FileName(string module) => module.Length == 0
        ? "module"
        : new string([.. module.Take(64).Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' ? c : '_')]);

    private void Verify(string where, Module module)
    {
#if DEBUG
        bool asked = _debug.Verify ?? true;
#else
        bool asked = _debug.Verify ?? context.Options.Verify;
#endif
        if (asked)
        {
            Verifier.Verify(module, where);
        }
    }
}
