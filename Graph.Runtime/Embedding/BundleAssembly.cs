using System.Collections.Immutable;
using Graphene.Hashing;

namespace Graphene.Runtime;

/// <summary>Puts functions together into the content of one file.</summary>
/// <remarks>
/// <code>
/// plan of f for v3:  weights at 0, bias at 4096        file:  weights at 0, bias at 4096, table at 4160
/// plan of g for v3:  table at 0, weights at 64    =>   g's plan is written with table at 4160, weights at 0
/// </code>
/// Constants go by variants, so that those of the one that runs lie together. Buffers that overlap stay together.
/// </remarks>
internal sealed class BundleAssembly(BundleContent content) : IDisposable
{
    private readonly ConstantImage _constants = new();
    private readonly Dictionary<string, long> _placeOf = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _objectOf = new(StringComparer.Ordinal);
    private readonly List<ReadOnlyMemory<byte>> _objects = [];
    private readonly List<ConstantData> _initialValues = [];

    /// <summary>The content of the file.</summary>
    /// <exception cref="GraphException">GR6115: functions contradict each other.</exception>
    public FileContent Assemble()
    {
        FileVariant[] variants = Variants();
        int functions = content.Functions.Count;
        byte[][] plans = new byte[functions * variants.Length][];
        int[][] objects = new int[plans.Length][];
        for (int v = 0; v < variants.Length; v++)
        {
            for (int f = 0; f < functions; f++)
            {
                Executable executable = content.Functions[f].Variants[v].Executable;
                int number = (f * variants.Length) + v;
                plans[number] = PlanWriter.Write(Place(executable), executable.Objects);
                objects[number] = [.. executable.Objects.Select(o => ObjectNumber(o.Bytes))];
            }
        }
        var states = new List<FileState>();
        var signatures = new List<FileSignature>(functions);
        foreach (BundleFunction function in content.Functions)
        {
            signatures.Add(new FileSignature(function.Name, function.Source, [.. function.States.Select(s => Use(s, states))]));
        }
        var index = new FileIndex
        {
            Name = content.Name,
            CompilerVersion = content.Functions[0].Variants[0].Executable.Plan.CompilerVersion,
            Variants = variants,
            States = [.. states],
            Signatures = [.. signatures],
            Plans = objects,
        };
        return index.Problem(plans.Length, _objects.Count) is { } problem
            ? throw Conflict(problem, "give each function another name")
            : new FileContent(index, plans, _objects, _constants);
    }

    /// <summary>Frees what was made for the file.</summary>
    public void Dispose() => _initialValues.ForEach(v => v.Dispose());

    private FileVariant[] Variants()
    {
        if (content.Functions.Count == 0 || content.Functions[0].Variants.Count == 0)
        {
            throw Conflict("it has no code", "add at least one function with code for one processor");
        }
        FileVariant[] first = VariantsOf(content.Functions[0]);
        foreach (BundleFunction function in content.Functions)
        {
            if (!first.SequenceEqual(VariantsOf(function)))
            {
                throw Conflict(
                    $"'{function.Name}' has other variants than '{content.Functions[0].Name}'",
                    "compile all functions for the same processors, in the same order");
            }
        }
        return first;
    }

    private static FileVariant[] VariantsOf(BundleFunction function) =>
        [.. function.Variants.Select(c => new FileVariant(c.Variant, c.Executable.Plan.TargetTriple, c.Executable.Plan.CpuFeatures))];

    // The plan with its constants where they are in the file.
    private ExecutablePlan Place(Executable executable)
    {
        ImmutableArray<BufferSpec> buffers = executable.Plan.Buffers;
        int[] constants =
        [
            .. Enumerable.Range(0, buffers.Length).Where(b => buffers[b].Kind == BufferKind.Constant)
                .OrderBy(b => buffers[b].Offset!.Value.Value),
        ];
        ImmutableArray<BufferSpec>.Builder placed = buffers.ToBuilder();
        for (int i = 0; i < constants.Length;)
        {
            long begin = buffers[constants[i]].Offset!.Value.Value;
            long end = begin;
            int next = i;
            while (next < constants.Length && (next == i || buffers[constants[next]].Offset!.Value.Value < end))
            {
                end = Math.Max(end, buffers[constants[next]].Offset!.Value.Value + buffers[constants[next]].SizeInBytes.Value);
                next++;
            }
            long place = Place(executable.Constants, begin, end - begin);
            for (; i < next; i++)
            {
                long offset = buffers[constants[i]].Offset!.Value.Value - begin;
                placed[constants[i]] = buffers[constants[i]] with { Offset = place + offset };
            }
        }
        return executable.Plan with { Buffers = placed.ToImmutable() };
    }

    private long Place(ConstantData data, long offset, long length)
    {
        string key = $"{length} {KeyOf(data.Bytes(offset, checked((int)length)))}";
        if (!_placeOf.TryGetValue(key, out long place))
        {
            place = _constants.Add(data, offset, length);
            _placeOf.Add(key, place);
        }
        return place;
    }

    private int ObjectNumber(ReadOnlyMemory<byte> bytes)
    {
        string key = KeyOf(bytes.Span);
        if (!_objectOf.TryGetValue(key, out int number))
        {
            number = _objects.Count;
            _objects.Add(bytes);
            _objectOf.Add(key, number);
        }
        return number;
    }

    private StateUse Use(BundleStateUse use, List<FileState> states)
    {
        TensorType type = use.Initial.Type;
        long initial = use.Initial.Bytes.Span.ContainsAnyExcept((byte)0) ? PlaceInitial(use.Initial.Bytes) : -1;
        var state = new FileState(use.Name, type, initial);
        int number = states.FindIndex(s => s.Name == use.Name);
        if (number < 0)
        {
            number = states.Count;
            states.Add(state);
        }
        return states[number] == state
            ? new StateUse(number, use.Input, use.Output)
            : throw Conflict(
                $"state '{use.Name}' is {states[number].Type} in one function and {type} in another, or has another first value",
                "give states that are not the same other names");
    }

    private long PlaceInitial(ReadOnlyMemory<byte> bytes)
    {
        var writer = new ConstantWriter();
        writer.Add(bytes);
        _initialValues.Add(writer.ToData());
        return Place(_initialValues[^1], 0, bytes.Length);
    }

    private static string KeyOf(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(Blake3.Hash(bytes));

    private GraphException Conflict(string problem, string fix) => new(
        BundleDiagnostics.Conflict, $"bundle '{content.Name}' cannot be made: {problem}", fix: fix);
}
