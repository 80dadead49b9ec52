using Graphene.Codegen;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>Makes well-formed kernels that nobody would write: all statements, expressions, types and numbers of lanes.</summary>
internal sealed class RandomKernel
{
    /// <summary>Elements that one task writes to each result.</summary>
    public const int Count = 48;

    /// <summary>How many tasks a kernel has.</summary>
    public const int Tasks = 3;

    /// <summary>Elements of each operand.</summary>
    public const int OperandLength = 128;

    private readonly Random _random;
    private readonly KBuilder _b = new();
    private readonly KVariable _task = new("task", KType.Index);
    private readonly KBuffer[] _operands;
    private readonly KBuffer[] _results;
    private readonly RandomExpression _expressions;

    private RandomKernel(int seed)
    {
        _random = new Random(seed);
        DType[] types = RandomExpression.Types;
        _operands = [.. types.Select((t, i) => KBuffer.ForArgument($"x{i}", t, i, isReadOnly: true))];
        _results = [.. Enumerable.Range(0, 4).Select(
            i => KBuffer.ForArgument($"y{i}", types[_random.Next(types.Length)], types.Length + i, isReadOnly: false))];
        _expressions = new RandomExpression(_random, _operands);
    }

    /// <summary>The kernel of a seed.</summary>
    public static Kernel Generate(int seed) => new RandomKernel(seed).Generate();

    private Kernel Generate()
    {
        int lanes = (int[])[1, 4, 8, 16] is var choices ? choices[_random.Next(choices.Length)] : 1;
        KExpr first = KBuilder.Multiply(_task, Count);
        _expressions.Scalars.Add(_b.Let("scalar", _expressions.Make(RandomType(1), 3)));
        KRegister carried = _b.Declare("carried", _expressions.Constant(RandomType(lanes)));
        _expressions.Registers.Add(carried);
        KBuffer scratch = _b.Scratch("scratch", carried.Type.Element, Count);
        _b.For("s", 0, Count, 1, s => _b.Store(scratch, s, _expressions.Make(carried.Type with { Lanes = 1 }, 2)));

        int unroll = _random.Next(4) == 0 ? _random.Next(2, 8) : 0;
        _b.For("i", 0, Count, lanes, i => Body(i, first, lanes, carried, scratch), unroll);
        for (int lane = 0; lane < lanes; lane++)
        {
            KExpr last = new KShuffle(new KRead(carried), [lane]);
            _b.Store(_results[0], KBuilder.Add(first, lane), new KConvert(last, _results[0].Element));
        }
        return new Kernel("random", [.. _operands, .. _results], _task, Tasks, _b.ToBlock(), new KernelCost(1, 2));
    }

    private void Body(KExpr i, KExpr first, int lanes, KRegister carried, KBuffer scratch)
    {
        _expressions.Enter(i, lanes);
        KExpr at = KBuilder.Add(first, i);
        if (_random.Next(4) == 0)
        {
            _b.Add(new KPrefetch(_operands[_random.Next(_operands.Length)], _expressions.Make(KType.Index, 2)));
        }
        _expressions.Variables.Add(_b.Let("value", _expressions.Make(RandomType(lanes), 4)));
        _b.Assign(carried, _expressions.Make(carried.Type, 3));
        foreach (KBuffer result in _results)
        {
            KExpr value = _expressions.Make(new KType(result.Element, lanes), 5);
            switch (_random.Next(6))
            {
                case 0:
                    _b.Store(result, at, value, _expressions.Make(new KType(DType.Bool, lanes), 2));
                    break;
                case 1:
                    KExpr places = KBuilder.Add(KBuilder.Broadcast(first, lanes), _expressions.Places(lanes, Count));
                    KExpr? mask = _random.Next(2) == 0 ? _expressions.Make(new KType(DType.Bool, lanes), 2) : null;
                    _b.Add(new KScatter(result, places, value, mask));
                    break;
                case 2:
                    KExpr condition = _expressions.Make(new KType(DType.Bool), 3);
                    bool hasElse = _random.Next(2) == 0;
                    _b.If(condition, () => _b.Store(result, at, value), hasElse ? () => _b.Store(result, at, ZeroLike(value)) : null);
                    break;
                case 3:
                    _b.Store(result, at, value);
                    Repeat(carried);
                    break;
                case 4 when result.Element == scratch.Element:
                    _b.Store(result, at, new KGather(scratch, _expressions.Places(lanes, Count)));
                    break;
                case 5:
                    _b.Add(new KPrefetch(_operands[0], KBuilder.Multiply(at, 1000), IsSoon: true));
                    _b.Stream(result, at, value);
                    break;
                default:
                    _b.Store(result, at, value);
                    break;
            }
        }
        _expressions.Leave();
    }

    // A few rounds of a loop whose end a register tells.
    private void Repeat(KRegister carried)
    {
        KRegister rounds = _b.Declare("rounds", 0);
        _b.While(KBuilder.Less(new KRead(rounds), _random.Next(3)), () =>
        {
            _b.Assign(carried, _expressions.Make(carried.Type, 2));
            _b.Assign(rounds, KBuilder.Add(new KRead(rounds), 1));
        });
    }

    private KType RandomType(int lanes) => new(RandomExpression.Types[_random.Next(RandomExpression.Types.Length)], lanes);

    private static KConstant ZeroLike(KExpr value) => new(Scalar.Zero(value.Type.Element), value.Type.Lanes);
}
