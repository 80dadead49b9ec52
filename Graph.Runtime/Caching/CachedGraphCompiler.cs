using Microsoft.Extensions.Logging;

namespace Graphene.Runtime;

/// <summary>Compiles graphs to machine code, and looks first whether another process has done it already.</summary>
/// <param name="compiler">Does the work when nobody has.</param>
/// <param name="device">The device's name.</param>
/// <param name="cache">Where code is kept; null for nowhere.</param>
public sealed class CachedGraphCompiler(IExecutableCompiler compiler, string device, DiskCache? cache) : IGraphCompiler
{
    /// <inheritdoc/>
    public string Device => device;

    /// <inheritdoc/>
    public GraphProgram Compile(Module module, ILogger logger, CancellationToken cancellation)
    {
        string? key = cache is null ? null : CacheKey.Of(module, compiler.Fingerprint);
        return key is not null && TryLoad(key) is { } cached ? cached : Compile(module, () => key, logger, cancellation);
    }

    /// <inheritdoc/>
    public GraphProgram? TryFind(IGraphSource source, ILogger logger) =>
        cache is null ? null : TryLoad(CacheKey.Of(source, compiler.Fingerprint));

    /// <inheritdoc/>
    public GraphProgram Compile(IGraphSource source, ILogger logger, CancellationToken cancellation)
    {
        if (TryFind(source, logger) is { } cached)
        {
            return cached;
        }
        Module module = source.Load();
        if (cache is null || !source.KeyIsComplete)
        {
            return Compile(module, logger, cancellation);
        }
        // Asked when everything is compiled: constants may be read from the source as late as that.
        return Compile(
            module, () => source.IsUnchanged() ? CacheKey.Of(source, compiler.Fingerprint) : null, logger, cancellation);
    }

    private NativeProgram Compile(Module module, Func<string?> key, ILogger logger, CancellationToken cancellation)
    {
        Executable executable = compiler.Compile(module, logger, cancellation);
        try
        {
            if (cache is not null && key() is { } name)
            {
                cache.TryWrite(name, executable);
            }
            return NativeProgram.Load(executable);
        }
        catch
        {
            executable.Dispose();
            throw;
        }
    }

    private NativeProgram? TryLoad(string key)
    {
        if (cache!.TryRead(key) is not { } executable)
        {
            return null;
        }
        try
        {
            return NativeProgram.Load(executable);
        }
        catch (Exception e) when (e is GraphException or ObjectLoadException)
        {
            executable.Dispose();
            cache.Remove(key, e.Message);
            return null;
        }
    }
}
