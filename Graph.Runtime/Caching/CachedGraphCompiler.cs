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
        return key is not null && TryLoad(key, null, out _) is { } cached
            ? cached
            : Compile(module, () => key, logger, cancellation);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// By the source's stamp first, which leads to the key without reading the source. What it leads to was found by that key before,
    /// while the source had that stamp.
    /// </remarks>
    public GraphProgram? TryFind(IGraphSource source, ILogger logger)
    {
        if (cache is null)
        {
            return null;
        }
        string? name = CacheKey.OfStamp(source, compiler.Fingerprint);
        CacheLink? link = name is null ? null : cache.TryFollow(name);
        string key = link?.Key ?? CacheKey.Of(source, compiler.Fingerprint);
        GraphProgram? program = TryLoad(key, link?.Stamp, out string? stamp);
        if (program is null && link is not null)
        {
            // The entry made room, or was damaged; there may be another one by now.
            link = null;
            key = CacheKey.Of(source, compiler.Fingerprint);
            program = TryLoad(key, null, out stamp);
        }
        if (program is not null && name is not null && (link is null ? source.IsUnchanged() : link.Stamp != stamp))
        {
            cache.TryLink(name, new CacheLink(key, stamp));
        }
        return program;
    }

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

    private GraphProgram Compile(Module module, Func<string?> key, ILogger logger, CancellationToken cancellation)
    {
        Executable executable = compiler.Compile(module, logger, cancellation);
        try
        {
            if (cache is not null && key() is { } name)
            {
                cache.TryWrite(name, executable);
            }
            return compiler.Load(executable);
        }
        catch
        {
            executable.Dispose();
            throw;
        }
    }

    private GraphProgram? TryLoad(string key, string? verified, out string? stamp)
    {
        if (cache!.TryRead(key, verified, out stamp) is not { } executable)
        {
            return null;
        }
        try
        {
            return compiler.Load(executable);
        }
        catch (Exception e) when (e is GraphException or ObjectLoadException)
        {
            executable.Dispose();
            if (e is GraphException graph && (graph.Id == GpuDiagnostics.OutOfMemory || graph.Id == GpuDiagnostics.CallFailed))
            {
                throw; // that is not the entry's fault
            }
            cache.Remove(key, e.Message);
            return null;
        }
    }
}
