using System.Collections.Immutable;
using System.Text;
using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>The kernels of one text.</summary>
internal sealed class InterpretedCode : GpuCode
{
    private const string Beginning = "kernel ";
    private readonly InterpretedGpu _device;
    private readonly string _name;
    private readonly Dictionary<string, Kernel> _kernels = new(StringComparer.Ordinal);
    private bool _disposed;

    /// <summary>Reads the kernels.</summary>
    /// <exception cref="GraphException">GR6505: the text holds something else.</exception>
    public InterpretedCode(InterpretedGpu device, string name, ReadOnlySpan<byte> code)
    {
        _device = device;
        _name = name;
        foreach (string text in Split(Encoding.UTF8.GetString(code)))
        {
            Kernel kernel = Parse(text);
            if (kernel.Threads is null || !_kernels.TryAdd(kernel.Name, kernel))
            {
                throw Bad($"kernel '{kernel.Name}' is there twice, or its tasks have no threads");
            }
        }
        device.Counts.AddHandle(1);
    }

    /// <inheritdoc/>
    public override GpuFunction Function(GpuKernel kernel)
    {
        if (!_kernels.TryGetValue(kernel.Name, out Kernel? found))
        {
            throw Bad($"there is no kernel '{kernel.Name}'");
        }
        int parameters = found.Arguments.Count + found.Sizes.Count + KernelTextWriter.RunSymbols(found).Length;
        parameters = found.Members == 1 ? parameters + found.Maps.Count : found.Members * (1 + parameters);
        return found.Threads!.Count == kernel.Threads && parameters == kernel.Parameters.Length
            ? new InterpretedFunction(_device, found)
            : throw Bad($"kernel '{kernel.Name}' has {found.Threads.Count} threads and {parameters} parameters, the plan says otherwise");
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _device.Counts.AddHandle(-1);
        }
    }

    private static IEnumerable<string> Split(string text)
    {
        int start = 0;
        while (start < text.Length)
        {
            int next = text.IndexOf("\n" + Beginning, start, StringComparison.Ordinal);
            int end = next < 0 ? text.Length : next + 1;
            yield return text[start..end];
            start = end;
        }
    }

    private Kernel Parse(string text)
    {
        try
        {
            return KernelParser.Parse(text, _name);
        }
        catch (GraphException e)
        {
            throw Bad(e.What);
        }
    }

    private GraphException Bad(string problem) => new(
        GpuDiagnostics.BadCode, $"{_device.Name} does not take the code '{_name}': {problem}",
        fix: "compile the graph again with this version of Graphene");
}

/// <summary>A kernel that is interpreted.</summary>
/// <param name="device">The device.</param>
/// <param name="kernel">A verified kernel with threads.</param>
internal sealed class InterpretedFunction(InterpretedGpu device, Kernel kernel) : GpuFunction
{
    private readonly ImmutableArray<DimSymbol> _runSymbols = KernelTextWriter.RunSymbols(kernel);
    private readonly Lazy<SimtProgram> _program = new(() => SimtProgram.Of(kernel));

    /// <summary>Runs all tasks.</summary>
    /// <param name="tasks">How many.</param>
    /// <param name="arguments">Addresses of buffers, then sizes, then values of the run's symbols.</param>
    /// <param name="extents">The bytes behind each address.</param>
    /// <param name="maps">Tensor maps: the interpreter takes boxes of them, not of what the kernel's text says, as a GPU would.</param>
    public void Run(long tasks, long[] arguments, long[] extents, BoundMap[] maps)
    {
        if (kernel.Members == 1)
        {
            RunCall(tasks, arguments, extents, maps);
            return;
        }
        int words = kernel.Arguments.Count + kernel.Sizes.Count + _runSymbols.Length;
        for (int i = 0; i < kernel.Members; i++)
        {
            long end = i + 1 < kernel.Members ? arguments[i + 1] : tasks;
            int at = kernel.Members + (i * words);
            if (end < arguments[i])
            {
                throw new CompilerBugException("interpreted GPU", $"call {i} of kernel '{kernel.Name}' begins behind its end");
            }
            if (end > arguments[i])
            {
                RunCall(end - arguments[i], arguments[at..(at + words)], extents[at..(at + words)], []);
            }
        }
    }

    private void RunCall(long tasks, long[] arguments, long[] extents, BoundMap[] maps)
    {
        var memory = new Memory<byte>[kernel.Arguments.Count];
        for (int i = 0; i < memory.Length; i++)
        {
            memory[i] = arguments[i] == 0 || extents[i] == 0
                ? Memory<byte>.Empty
                : device.Memory.Find((nint)arguments[i], extents[i]);
        }
        var symbols = new Dictionary<string, long>(StringComparer.Ordinal);
        for (int i = 0; i < kernel.Sizes.Count; i++)
        {
            symbols.Add(kernel.Sizes[i].Name, arguments[memory.Length + i]);
        }
        for (int i = 0; i < _runSymbols.Length; i++)
        {
            symbols.Add(_runSymbols[i].Name, arguments[memory.Length + kernel.Sizes.Count + i]);
        }
        BoundTensorMap[] tensors = [.. maps.Select((m, i) => BoundTensorMap.Checked(kernel, Tensor(kernel.Maps[i], m)))];
        var interpreter = new KernelInterpreter(_program.Value, memory, s => symbols[s.Name], tensors);
        if (interpreter.TaskCount != tasks)
        {
            throw new CompilerBugException(
                "interpreted GPU", $"kernel '{kernel.Name}' was started with {tasks} tasks and has {interpreter.TaskCount}");
        }
        interpreter.Run();
    }

    private BoundTensorMap Tensor(KTensorMap map, BoundMap bound)
    {
        int size = bound.Map.Element.SizeInBytes();
        Memory<byte> source = bound.Bytes <= 0 ? Memory<byte>.Empty : device.Memory.Find(bound.Address, bound.Bytes);
        var told = new KTensorMap(map.Name, KBuffer.ForArgument(map.Name, bound.Map.Element, 0, isReadOnly: true))
        {
            Sizes = map.Sizes,
            Strides = map.Strides,
            Box = [.. bound.Map.Box],
            IsSwizzled = bound.Map.IsSwizzled,
            RoundsToTensorFloat32 = bound.Map.RoundsToTensorFloat32,
        };
        return new BoundTensorMap(told, source, 0, bound.Sizes, [1, .. bound.StridesInBytes.Select(s => s / size)]);
    }
}
